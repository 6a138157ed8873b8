//! Certificates made at start: one for each host, signed by itself, as the product makes them.

use std::net::IpAddr;
use std::sync::Arc;

use rcgen::{CertificateParams, DnType, KeyPair, SanType};
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};

use super::LabError;

/// What a host shows of itself on port 443.
pub(super) struct Identity {
    pub(super) config: Arc<ServerConfig>,
    /// SHA-256 of the certificate as the server prints it: upper-case bytes joined by colons.
    pub(super) fingerprint: String,
    pub(super) pem: String,
}

/// The validity that the records state: the same as the certificates'.
pub(super) const NOT_BEFORE: &str = "20260101T00:00:00Z";
pub(super) const NOT_AFTER: &str = "20360101T00:00:00Z";

/// A new key and certificate for a host of this name and address.
pub(super) fn identity(name: &str, address: IpAddr) -> Result<Arc<Identity>, LabError> {
    let failed =
        |source: &dyn std::fmt::Display| LabError::Certificate { name: name.to_owned(), reason: source.to_string() };
    let key = KeyPair::generate().map_err(|error| failed(&error))?;
    let mut params = CertificateParams::new(Vec::new()).map_err(|error| failed(&error))?;
    params.distinguished_name.push(DnType::CommonName, name);
    params.subject_alt_names.push(SanType::IpAddress(address));
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2036, 1, 1);
    let certificate = params.self_signed(&key).map_err(|error| failed(&error))?;
    let der: CertificateDer<'static> = certificate.der().clone();
    let fingerprint = fingerprint(&der);
    let secret = PrivateKeyDer::try_from(key.serialize_der()).map_err(|error| failed(&error))?;
    let pem = pem(&der);
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![der], secret))
        .map_err(|error| failed(&error))?;
    Ok(Arc::new(Identity { config: Arc::new(config), fingerprint, pem }))
}

fn fingerprint(der: &[u8]) -> String {
    let digest = Sha256::digest(der);
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// The certificate as text.
fn pem(der: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::from("-----BEGIN CERTIFICATE-----");
    for (index, group) in der.chunks(3).enumerate() {
        if index % 16 == 0 {
            text.push('\n');
        }
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place > group.len() { '=' } else { char::from(letter) });
        }
    }
    text.push_str("\n-----END CERTIFICATE-----\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_as_text() {
        let body = |bytes: &[u8]| pem(bytes).lines().nth(1).unwrap().to_owned();
        assert_eq!([body(b"M"), body(b"Ma"), body(b"Man")], ["TQ==", "TWE=", "TWFu"]);
        assert_eq!(pem(&[0; 49]).lines().map(str::len).collect::<Vec<_>>(), [27, 64, 4, 25]);
    }
}
