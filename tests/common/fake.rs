//! A small server of XenAPI over TLS on loopback: each test scripts what it answers, and reads what it was asked.

#![expect(clippy::panic, clippy::unwrap_used, reason = "helpers of tests fail as tests do")]
#![allow(missing_docs, reason = "the names say it, and not every test binary shows them")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use poolgate::collect::xapi::Fingerprint;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

/// The reference of every session that the server gives.
pub const SESSION: &str = "OpaqueRef:5e551044-marker-session";
/// The password that everybody logs in with.
pub const PASSWORD: &str = "marker-of-the-password";

/// One call, as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    /// `2.0`, `1.0` or `xml`.
    pub encoding: &'static str,
    pub method: String,
    pub params: Vec<Value>,
    pub head: String,
}

/// What comes back.
pub enum Answer {
    /// A value, in the encoding of the question.
    Value(Value),
    /// An error of the server.
    Error(Vec<String>),
    /// Bytes, as they are.
    Raw { status: u16, headers: String, body: Vec<u8> },
    /// An answer with a header more.
    With { header: String, answer: Box<Self> },
    /// The first half of a body, and then the end.
    Truncated,
    /// Nothing, until the client goes away.
    Hang,
    /// The connection is reset.
    Reset,
    /// A head that announces more than anybody reads.
    Huge,
    /// A byte now and then, without end.
    Drip,
    /// Whatever this writes, head and all, and then the end without a word of TLS.
    Wild(fn(&mut dyn Write)),
}

/// A web page, as the server sends it where it stumbles.
pub fn page(status: u16) -> Answer {
    let body = b"<html><body><h1>HTTP 500 internal server error</h1>marker-in-page</body></html>".to_vec();
    Answer::Raw { status, headers: "content-type: text/html\r\n".to_owned(), body }
}

/// A certificate with its key.
pub struct Identity {
    pub certificate: Vec<u8>,
    key: Vec<u8>,
}

impl Identity {
    /// Signed by itself, as hosts have it.
    pub fn own() -> Self {
        let key = KeyPair::generate().unwrap();
        let certificate = params().self_signed(&key).unwrap();
        Self { certificate: certificate.der().to_vec(), key: key.serialize_der() }
    }

    /// Signed by an authority; the authority's certificate comes with it.
    pub fn vouched() -> (Self, Vec<u8>) {
        let authority_key = KeyPair::generate().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let root = authority.self_signed(&authority_key).unwrap().der().to_vec();
        let key = KeyPair::generate().unwrap();
        let leaf = params().signed_by(&key, &Issuer::new(authority, authority_key)).unwrap();
        (Self { certificate: leaf.der().to_vec(), key: key.serialize_der() }, root)
    }

    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }
}

fn params() -> CertificateParams {
    CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap()
}

/// A certificate as PEM.
pub fn pem(certificate: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in certificate.chunks(3) {
        let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize] as char;
            text.push(if place > three.len() { '=' } else { letter });
        }
    }
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

type Script = dyn Fn(&Asked) -> Answer + Send + Sync;

struct Shared {
    script: Box<Script>,
    config: Mutex<Arc<ServerConfig>>,
    asked: Mutex<Vec<Asked>>,
    connections: Mutex<usize>,
    changed: Condvar,
}

/// A running server; its threads end with the test.
pub struct Fake {
    pub address: SocketAddr,
    pub fingerprint: Fingerprint,
    shared: Arc<Shared>,
}

impl Fake {
    /// Starts on 127.0.0.1.
    pub fn start(script: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(Identity::own(), (Ipv4Addr::LOCALHOST, 0).into(), script)
    }

    /// Starts with a certificate, at an address.
    pub fn with(
        identity: Identity,
        at: SocketAddr,
        script: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let fingerprint = identity.fingerprint();
        let listener = TcpListener::bind(at).unwrap_or_else(|error| panic!("{at}: {error}"));
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            script: Box::new(script),
            config: Mutex::new(config(identity)),
            asked: Mutex::new(Vec::new()),
            connections: Mutex::new(0),
            changed: Condvar::new(),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = Arc::clone(&server);
                thread::spawn(move || serve(stream, &server));
            }
        });
        Self { address, fingerprint, shared }
    }

    /// Shows another certificate from the next connection on.
    pub fn show(&self, identity: Identity) {
        *self.shared.config.lock().unwrap() = config(identity);
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.method).collect()
    }

    pub fn count(&self, method: &str) -> usize {
        self.methods().iter().filter(|asked| *asked == method).count()
    }

    /// Connections on which TLS was agreed.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// Waits until a method was called so often.
    pub fn wait_for(&self, method: &str, times: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        let mut asked = self.shared.asked.lock().unwrap();
        while asked.iter().filter(|asked| asked.method == method).count() < times {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{method} was not called {times} times: {asked:?}");
            asked = self.shared.changed.wait_timeout(asked, left).unwrap().0;
        }
    }
}

fn config(identity: Identity) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(identity.key));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(identity.certificate)], key);
    Arc::new(config.unwrap())
}

fn serve(stream: TcpStream, server: &Shared) {
    let config = Arc::clone(&server.config.lock().unwrap());
    stream.set_nodelay(true).unwrap();
    let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    let mut first = true;
    while let Some(asked) = read(&mut tls) {
        if std::mem::take(&mut first) {
            *server.connections.lock().unwrap() += 1;
        }
        server.asked.lock().unwrap().push(asked.clone());
        server.changed.notify_all();
        let answer = (server.script)(&asked);
        if !send(&mut tls, &asked, answer) {
            return;
        }
    }
}

/// Serves a script on a Unix socket, as the toolstack does inside dom0: a call a connection, and no encryption.
pub fn on_socket(path: &Path, script: impl Fn(&Asked) -> Answer + Send + 'static) -> Arc<Mutex<Vec<Asked>>> {
    let listener = UnixListener::bind(path).unwrap();
    let log = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&log);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            if let Some(call) = read(&mut stream) {
                asked.lock().unwrap().push(call.clone());
                match script(&call) {
                    Answer::Raw { status, headers, body } => {
                        // As the server does where it does not know how long an answer will be.
                        let head = format!("HTTP/1.1 {status} OK\r\n{headers}\r\n");
                        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
                    }
                    Answer::Hang => {
                        let _ = stream.read(&mut [0]);
                    }
                    Answer::Reset => {}
                    answer => {
                        let _ = write(&mut stream, 200, "", &body(&call, answer));
                    }
                }
            }
        }
    });
    log
}

fn read(from: &mut impl Read) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut request = httparse::Request::new(&mut headers);
        if let Ok(httparse::Status::Complete(head)) = request.parse(&bytes) {
            let length = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
            let length: usize = std::str::from_utf8(length?.value).ok()?.parse().ok()?;
            if bytes.len() >= head + length {
                let path = request.path?.to_owned();
                return Some(parse(path, &bytes[..head], &bytes[head..head + length]));
            }
        }
        match from.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&piece[..count]),
        }
    }
}

fn parse(path: String, head: &[u8], body: &[u8]) -> Asked {
    let head = String::from_utf8(head.to_vec()).unwrap();
    let text = std::str::from_utf8(body).unwrap();
    if text.starts_with('<') {
        let document = roxmltree::Document::parse(text).unwrap();
        let tag = |name: &'static str| document.descendants().filter(move |node| node.has_tag_name(name));
        let method = tag("methodName").next().unwrap().text().unwrap().to_owned();
        let params = tag("string").map(|node| json!(node.text().unwrap_or_default())).collect();
        return Asked { path, encoding: "xml", method, params, head };
    }
    let call: Value = serde_json::from_str(text).unwrap();
    let encoding = if call["jsonrpc"] == "2.0" { "2.0" } else { "1.0" };
    let method = call["method"].as_str().unwrap().to_owned();
    Asked { path, encoding, method, params: call["params"].as_array().unwrap().clone(), head }
}

/// Sends an answer; whether the connection goes on.
fn send(tls: &mut StreamOwned<ServerConnection, TcpStream>, asked: &Asked, answer: Answer) -> bool {
    let body = match answer {
        Answer::With { header, answer } => {
            let body = body(asked, *answer);
            return write(tls, 200, &format!("{header}\r\n"), &body);
        }
        Answer::Raw { status, headers, body } => return write(tls, status, &headers, &body),
        Answer::Hang => {
            let _ = tls.read(&mut [0]);
            return false;
        }
        Answer::Reset => {
            // Unread bytes make the system send a reset.
            let _ = tls.sock.shutdown(Shutdown::Both);
            return false;
        }
        Answer::Truncated => {
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"jsonrpc\":");
            let _ = tls.flush();
            return false;
        }
        Answer::Huge => {
            let _ = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{");
            let _ = tls.flush();
            let _ = tls.read(&mut [0]);
            return false;
        }
        Answer::Drip => {
            let mut sent = tls.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{");
            while sent.is_ok() {
                thread::sleep(Duration::from_millis(50));
                sent = tls.write_all(b" ").and_then(|()| tls.flush());
            }
            return false;
        }
        Answer::Wild(speak) => {
            speak(tls);
            let _ = tls.flush();
            let _ = tls.sock.shutdown(Shutdown::Both);
            return false;
        }
        plain => body(asked, plain),
    };
    write(tls, 200, "", &body)
}

fn write(tls: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> bool {
    let head = format!("HTTP/1.1 {status} Some\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    let sent = tls.write_all(head.as_bytes()).and_then(|()| tls.write_all(body)).and_then(|()| tls.flush());
    sent.is_ok()
}

fn body(asked: &Asked, answer: Answer) -> Vec<u8> {
    let answer = match answer {
        Answer::Value(value) => Ok(value),
        Answer::Error(error) => Err(error),
        _ => panic!("no answer with a body"),
    };
    let json = match (asked.encoding, answer) {
        ("2.0", Ok(value)) => json!({"jsonrpc": "2.0", "result": value, "id": 1}),
        ("2.0", Err(error)) => {
            json!({"jsonrpc": "2.0", "error": {"code": 1, "message": error[0], "data": error[1..]}, "id": 1})
        }
        ("1.0", Ok(value)) => json!({"result": value, "error": null, "id": 1}),
        ("1.0", Err(error)) => json!({"result": null, "error": error, "id": 1}),
        (_, Ok(Value::Object(map))) if map.is_empty() => {
            return xml(
                "<name>Status</name><value>Success</value></member><member><name>Value</name><value><struct/></value>",
            );
        }
        (_, Ok(value)) => {
            let text = value.as_str().unwrap();
            return xml(&format!(
                "<name>Status</name><value>Success</value></member><member><name>Value</name><value>{text}</value>"
            ));
        }
        (_, Err(error)) => {
            let list: String = error.iter().map(|text| format!("<value>{text}</value>")).collect();
            return xml(&format!(
                "<name>Status</name><value>Failure</value></member><member><name>ErrorDescription</name><value><array><data>{list}</data></array></value>"
            ));
        }
    };
    json.to_string().into_bytes()
}

fn xml(members: &str) -> Vec<u8> {
    format!(
        "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct><member>{members}</member></struct></value></param></params></methodResponse>"
    )
    .into_bytes()
}

/// Logs in whoever has the password, and leaves the rest to a script. Records are refused without the session.
pub fn logging_in(
    rest: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
) -> impl Fn(&Asked) -> Answer + Send + Sync {
    move |asked| match asked.method.as_str() {
        "pool.get_all" => Answer::Error(vec!["MESSAGE_PARAMETER_COUNT_MISMATCH".into(), "pool.get_all".into()]),
        "session.login_with_password" if asked.params.get(1) == Some(&json!(PASSWORD)) => {
            Answer::Value(json!(SESSION))
        }
        "session.login_with_password" => {
            let code = "SESSION_AUTHENTICATION_FAILED".to_owned();
            Answer::Error(vec![code, "root".to_owned(), format!("{:?}", asked.params)])
        }
        _ if asked.params.first() != Some(&json!(SESSION)) => {
            Answer::Error(vec!["SESSION_INVALID".to_owned(), format!("{:?}", asked.params)])
        }
        "session.logout" => Answer::Value(json!("")),
        _ => rest(asked),
    }
}

/// Records of a small pool: enough that something is known.
pub fn small(asked: &Asked) -> Answer {
    let host = |name: &str| json!({"uuid": name, "name_label": name, "enabled": true, "address": "10.0.0.1"});
    Answer::Value(match asked.method.as_str() {
        "pool.get_all_records" => {
            json!({"OpaqueRef:p": {"uuid": "p", "name_label": "small", "master": "OpaqueRef:h"}})
        }
        "host.get_all_records" => json!({"OpaqueRef:h": host("alpha")}),
        _ => json!({}),
    })
}
