//! Fingerprints of certificates.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

/// The SHA-256 of a certificate as it came over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

/// Why a text is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is no SHA-256 fingerprint: {why}; expected 64 hex digits, with or without colons", text.escape_debug())]
pub struct FingerprintError {
    text: String,
    why: String,
}

impl Fingerprint {
    /// Of a certificate in DER.
    pub fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(&Sha256::digest(certificate));
        Self(bytes)
    }

    /// 64 hex digits in lower case, without colons.
    pub fn plain(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// As the server and `openssl x509 -fingerprint` write it: upper case with colons.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let wrong = |why: String| FingerprintError { text: text.chars().take(100).collect(), why };
        let lower = text.trim().to_ascii_lowercase();
        let digits = ["sha-256:", "sha256:", "sha256 fingerprint="].iter().find_map(|word| lower.strip_prefix(word));
        let digits: String = digits.unwrap_or(&lower).chars().filter(|letter| *letter != ':').collect();
        if let Some(odd) = digits.chars().find(|letter| !letter.is_ascii_hexdigit()) {
            return Err(wrong(format!("'{}' is no hex digit", odd.escape_debug())));
        }
        let mut bytes = [0; 32];
        if digits.len() != 64 {
            let sha1 = if digits.len() == 40 { " (that many are a SHA-1)" } else { "" };
            return Err(wrong(format!("it has {} digits{sha1}", digits.len())));
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * place..2 * place + 2], 16)
                .map_err(|error| wrong(error.to_string()))?;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_it() {
        let found = Fingerprint::of(b"abc");
        insta::assert_snapshot!(found, @"BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD");
        let plain = found.plain();
        for text in
            [plain.clone(), found.to_string(), format!("SHA-256:{found}"), format!("sha256 Fingerprint={found}\n")]
        {
            assert_eq!(text.parse(), Ok(found), "{text}");
        }
        assert_eq!(plain.to_uppercase().parse(), Ok(found));
    }

    #[test]
    fn what_is_no_fingerprint() {
        let why = |text: &str| text.parse::<Fingerprint>().unwrap_err().to_string();
        assert!(why("").contains("0 digits"));
        assert!(why(&"ab".repeat(20)).contains("SHA-1"));
        assert!(why(&"ab".repeat(33)).contains("66 digits"));
        assert!(why(&"é".repeat(32)).contains("no hex digit"));
        assert!(why(&"xy".repeat(32)).contains("'x' is no hex digit"));
    }
}
