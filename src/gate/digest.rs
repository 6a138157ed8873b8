//! SHA-256 over JSON in one spelling, so that the same content has the same digest whoever wrote it.

use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use crate::snapshot::Snapshot;

/// Lower-case hex of the SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digest of a JSON value: of its text without blanks, keys in order.
pub fn of_json(json: &Json) -> String {
    let mut text = String::new();
    canonical(json, &mut text);
    sha256(text.as_bytes())
}

/// The digest of a snapshot.
pub fn of_snapshot(snapshot: &Snapshot) -> String {
    // A snapshot writes JSON that this program reads again: were it not so, the text itself would do.
    let text = snapshot.to_json();
    serde_json::from_str(&text).map_or_else(|_| sha256(text.as_bytes()), |json| of_json(&json))
}

fn canonical(json: &Json, out: &mut String) {
    match json {
        Json::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        Json::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Json::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn order_and_blanks_do_not_matter_and_content_does() {
        let one = of_json(&json!({"b": [1, 2], "a": {"y": null, "x": "é"}}));
        let other: Json = serde_json::from_str("{ \"a\": {\"x\":\"\\u00e9\", \"y\":null},\n \"b\": [1,2] }").unwrap();
        assert_eq!(one, of_json(&other));
        assert_ne!(one, of_json(&json!({"b": [2, 1], "a": {"y": null, "x": "é"}})));
    }

    #[test]
    fn it_is_the_digest_that_other_tools_compute() {
        // printf '{"a":1}' | sha256sum
        assert_eq!(of_json(&json!({"a": 1})), "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862");
    }
}
