//! Calls into bodies, bodies into answers: JSON-RPC 2.0 and 1.0, and XML-RPC.

use std::io::Write as _;

use serde_json::Value;
use zeroize::Zeroizing;

use super::{Param, Password};
use crate::collect::CollectError;
use crate::collect::records::answers::Failure;
use crate::collect::records::{json, xml};

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Json2,
    Json1,
    Xml,
}

/// What stands before the parameters of a call.
pub(super) enum Lead<'a> {
    Nothing,
    /// The session's reference: a secret.
    Session(&'a Password),
}

impl Encoding {
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Json2 | Self::Json1 => "/jsonrpc",
            Self::Xml => "/",
        }
    }

    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Json2 | Self::Json1 => "application/json",
            Self::Xml => "text/xml",
        }
    }

    /// Reads an answer.
    pub(super) fn decode(self, body: &[u8]) -> Result<Result<Value, Failure>, CollectError> {
        match self {
            Self::Json2 | Self::Json1 => json::read_call("the answer", body),
            Self::Xml => xml::read_call("the answer", body),
        }
    }

    /// The body of a call. Room is made once, so that no secret is left behind where it grew.
    pub(super) fn encode(self, method: &str, lead: &Lead<'_>, params: &[Param<'_>]) -> Zeroizing<Vec<u8>> {
        let session = match lead {
            Lead::Nothing => None,
            Lead::Session(session) => Some(Param::Secret(session)),
        };
        let params = || session.iter().chain(params).copied();
        // A character takes at most six bytes in either encoding.
        let size: usize = params().map(|param| size(param) + 64).sum();
        let mut body = Zeroizing::new(Vec::with_capacity(512 + method.len() + size));
        match self {
            Self::Json2 | Self::Json1 => {
                body.push(b'{');
                if self == Self::Json2 {
                    body.extend_from_slice(br#""jsonrpc":"2.0","#);
                }
                body.extend_from_slice(br#""method":"#);
                json_text(&mut body, method);
                body.extend_from_slice(br#","params":["#);
                for (place, param) in params().enumerate() {
                    if place > 0 {
                        body.push(b',');
                    }
                    json_param(&mut body, param);
                }
                body.extend_from_slice(br#"],"id":1}"#);
            }
            Self::Xml => {
                body.extend_from_slice(b"<?xml version=\"1.0\"?><methodCall><methodName>");
                xml_text(&mut body, method);
                body.extend_from_slice(b"</methodName><params>");
                for param in params() {
                    body.extend_from_slice(b"<param>");
                    xml_param(&mut body, param);
                    body.extend_from_slice(b"</param>");
                }
                body.extend_from_slice(b"</params></methodCall>");
            }
        }
        body
    }
}

fn size(param: Param<'_>) -> usize {
    match param {
        Param::Secret(secret) => 6 * secret.reveal().len(),
        Param::Value(Value::String(text)) => 6 * text.len(),
        Param::Value(value) => 8 * value.to_string().len(),
    }
}

fn json_param(body: &mut Vec<u8>, param: Param<'_>) {
    match param {
        Param::Secret(secret) => json_text(body, secret.reveal()),
        // Writing to memory cannot fail, and a value has no keys but texts.
        Param::Value(value) => serde_json::to_writer(body, value).unwrap_or_default(),
    }
}

fn json_text(body: &mut Vec<u8>, text: &str) {
    serde_json::to_writer(body, text).unwrap_or_default();
}

fn xml_param(body: &mut Vec<u8>, param: Param<'_>) {
    match param {
        Param::Secret(secret) => xml_string(body, secret.reveal()),
        Param::Value(value) => xml_value(body, value),
    }
}

/// As the server encodes its own: integers are texts, booleans and doubles have their types.
fn xml_value(body: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Null => xml_string(body, ""),
        Value::Bool(flag) => {
            let flag = u8::from(*flag);
            let _ = write!(body, "<value><boolean>{flag}</boolean></value>");
        }
        Value::Number(number) if number.is_f64() => {
            let _ = write!(body, "<value><double>{number}</double></value>");
        }
        Value::Number(number) => xml_string(body, &number.to_string()),
        Value::String(text) => xml_string(body, text),
        Value::Array(list) => {
            body.extend_from_slice(b"<value><array><data>");
            for item in list {
                xml_value(body, item);
            }
            body.extend_from_slice(b"</data></array></value>");
        }
        Value::Object(map) => {
            body.extend_from_slice(b"<value><struct>");
            for (name, item) in map {
                body.extend_from_slice(b"<member><name>");
                xml_text(body, name);
                body.extend_from_slice(b"</name>");
                xml_value(body, item);
                body.extend_from_slice(b"</member>");
            }
            body.extend_from_slice(b"</struct></value>");
        }
    }
}

fn xml_string(body: &mut Vec<u8>, text: &str) {
    body.extend_from_slice(b"<value><string>");
    xml_text(body, text);
    body.extend_from_slice(b"</string></value>");
}

fn xml_text(body: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'<' => body.extend_from_slice(b"&lt;"),
            b'>' => body.extend_from_slice(b"&gt;"),
            b'&' => body.extend_from_slice(b"&amp;"),
            b'\r' => body.extend_from_slice(b"&#13;"),
            byte => body.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn encoded(encoding: Encoding, method: &str, params: &[Param<'_>]) -> String {
        String::from_utf8(encoding.encode(method, &Lead::Nothing, params).to_vec()).unwrap()
    }

    #[test]
    fn bodies_in_every_encoding() {
        let secret = Password::new(Zeroizing::new("p<a>&\"s\\".to_owned()));
        let (name, number) = (json!("root"), json!({"n": [1, true, 0.5]}));
        let params = [Param::Value(&name), Param::Secret(&secret), Param::Value(&number)];
        let session = Password::new(Zeroizing::new("OpaqueRef:1".to_owned()));
        let body = Encoding::Json2.encode("pool.x", &Lead::Session(&session), &[]);
        assert_eq!(&**body, br#"{"jsonrpc":"2.0","method":"pool.x","params":["OpaqueRef:1"],"id":1}"#);
        insta::assert_snapshot!(encoded(Encoding::Json1, "a.b", &params), @r#"{"method":"a.b","params":["root","p<a>&\"s\\",{"n":[1,true,0.5]}],"id":1}"#);
        insta::assert_snapshot!(encoded(Encoding::Xml, "a.b", &params), @r#"<?xml version="1.0"?><methodCall><methodName>a.b</methodName><params><param><value><string>root</string></value></param><param><value><string>p&lt;a&gt;&amp;"s\</string></value></param><param><value><struct><member><name>n</name><value><array><data><value><string>1</string></value><value><boolean>1</boolean></value><value><double>0.5</double></value></data></array></value></member></struct></value></param></params></methodCall>"#);
    }

    #[test]
    fn a_body_does_not_grow_while_it_is_written() {
        let secret = Password::new(Zeroizing::new("\u{1}<&>\r".repeat(500)));
        for encoding in [Encoding::Json2, Encoding::Json1, Encoding::Xml] {
            let lead = Lead::Session(&secret);
            let params = [Param::Secret(&secret)];
            let body = encoding.encode("pool.join", &lead, &params);
            let least: usize = 2 * 6 * secret.reveal().len();
            // Had it grown, its room would have doubled past what was asked for.
            assert!(body.capacity() >= least && body.capacity() < least + 1024, "{}", body.capacity());
        }
    }

    #[test]
    fn both_shapes_of_errors() {
        let parts = |encoding: Encoding, text: &str| {
            encoding.decode(text.as_bytes()).map(|answer| answer.map_err(Failure::into_parts))
        };
        let expected = ("HOST_IS_SLAVE".to_owned(), vec!["10.0.0.1".to_owned()]);
        for text in [
            r#"{"jsonrpc":"2.0","error":{"code":1,"message":"HOST_IS_SLAVE","data":["10.0.0.1"]},"id":1}"#,
            r#"{"jsonrpc":"2.0","error":["HOST_IS_SLAVE","10.0.0.1"]}"#,
            r#"{"result":null,"error":["HOST_IS_SLAVE","10.0.0.1"],"id":7}"#,
        ] {
            assert_eq!(parts(Encoding::Json2, text).unwrap(), Err(expected.clone()), "{text}");
        }
        assert_eq!(parts(Encoding::Json1, r#"{"result":"x","error":null,"id":7}"#).unwrap(), Ok(json!("x")));
        for text in ["[]", "{}", "<html>", "{\"result\":1", ""] {
            assert!(parts(Encoding::Json2, text).is_err(), "{text}");
        }
    }
}
