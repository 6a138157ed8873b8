//! What of the server's free maps may enter a snapshot. Secrets that a read-only user can see are left behind here
//! (join-and-eject facts, section 5.5).

use std::collections::BTreeMap;

type Texts = BTreeMap<String, String>;

/// What stands where a secret was cut out of a longer text.
const REMOVED: &str = "(removed)";

/// The parts of names that hold secrets, behind their first letters.
const fn secret_names(first: u8) -> &'static [&'static str] {
    match first {
        b'p' => &["assword", "asswd", "assphrase", "wd", "rivate"],
        b's' => &["ecret"],
        b't' => &["oken"],
        b'c' => &["redential"],
        b'a' => &["pikey", "ccesskey"],
        _ => &[],
    }
}

/// Whether a key is in a list; one ending in `*` stands for all that begin so.
pub(super) fn is_among(name: &str, keys: &[&str]) -> bool {
    keys.iter().any(|key| match key.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => *key == name,
    })
}

/// Without keys that hold secrets, and with credentials cut out of the other values. References to secrets by uuid
/// (`*_secret`) stay: the uuid is no secret.
pub(super) fn public(mut map: Texts) -> Texts {
    map.retain(|key, value| !is_secret_name(key) || (key.ends_with("_secret") && is_uuid(value)));
    // A value without these signs holds no credentials.
    for value in map.values_mut().filter(|value| value.contains(['=', '@'])) {
        *value = scrub(value);
    }
    map
}

/// Whether a key is a restriction of the licence, and nothing else that stands beside these (keys, serial numbers).
pub(super) fn is_restriction(key: &str) -> bool {
    key.starts_with("restrict_")
}

/// Whether a key of what the server says of its software is not the machine's serial number.
pub(super) fn is_software(key: &str) -> bool {
    !key.contains("serial")
}

fn is_secret_name(name: &str) -> bool {
    let mut rest = name.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        let begins = |secret: &&str| {
            let mut letters = behind.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
            secret.bytes().all(|letter| letters.next() == Some(letter))
        };
        if secret_names(first.to_ascii_lowercase()).iter().any(begins) {
            return true;
        }
    }
    false
}

fn is_uuid(text: &str) -> bool {
    let groups = text.split('-').map(str::len);
    groups.eq([8, 4, 4, 4, 12]) && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
}

/// Cuts credentials out of a location or a list of mount options: `scheme://user:pass@host`, `//user:pass@host`,
/// `user:pass@host:/path`, and `password=…` up to the next separator.
fn scrub(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let separator = |letter: char| letter.is_whitespace() || ",;&?\"'".contains(letter);
    for piece in text.split_inclusive(separator) {
        let (piece, end) = match piece.char_indices().next_back() {
            Some((at, last)) if separator(last) => piece.split_at(at),
            _ => (piece, ""),
        };
        match piece.split_once('=') {
            Some((name, _)) if is_secret_name(name) => {
                clean.push_str(name);
                clean.push('=');
                clean.push_str(REMOVED);
            }
            _ => clean.push_str(&without_user(piece)),
        }
        clean.push_str(end);
    }
    clean
}

/// A location without `user:password@`. A user without a password stays.
fn without_user(piece: &str) -> String {
    let start = piece.find("//").map_or(0, |at| at + 2);
    let Some(at) = piece[start..].rfind('@') else { return piece.to_owned() };
    let user = &piece[start..start + at];
    if user.contains([':', '%']) {
        format!("{}{REMOVED}{}", &piece[..start], &piece[start + at..])
    } else {
        piece.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_cut_out_of_locations() {
        assert_eq!(scrub("https://me:hunter2@host/path?q=1"), "https://(removed)@host/path?q=1");
        assert_eq!(scrub("https://host/x?password=hunter2&a=b"), "https://host/x?password=(removed)&a=b");
        assert_eq!(scrub("//dom;me:hunter2@host/share"), "//dom;(removed)@host/share");
        assert_eq!(scrub("-o username=me,password=hunter2,vers=3"), "-o username=me,password=(removed),vers=3");
        assert_eq!(scrub("smb://me:hun@ter2@host"), "smb://(removed)@host");
        assert_eq!(scrub("me%hunter2@host"), "(removed)@host");
        for plain in ["10.0.0.9:/export", "iqn.2026-05.com.example:pool1", "xapi@host", "", "é,ü"] {
            assert_eq!(scrub(plain), plain);
        }
    }

    #[test]
    fn a_restriction_is_no_secret_whatever_its_name() {
        let map = ["restrict_pool_secret_rotation", "restrict_ad", "license_key"];
        let left: Vec<_> = map.into_iter().filter(|key| is_restriction(key)).collect();
        assert_eq!(left, ["restrict_pool_secret_rotation", "restrict_ad"]);
    }

    #[test]
    fn secrets_go_and_their_uuids_stay() {
        let uuid = "6f2a8dc7-a746-50f4-be5d-11eafccec13c";
        let map = [
            ("password", "hunter2"),
            ("incoming_chappassword", "hunter2"),
            ("CIFS-Password", "hunter2"),
            ("cifspassword_secret", uuid),
            ("other_secret", "hunter2"),
            ("auth_token", "hunter2"),
            ("server", "10.0.0.9"),
        ];
        let map = map.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let left: Vec<_> = public(map).into_keys().collect();
        assert_eq!(left, ["cifspassword_secret", "server"]);
    }
}
