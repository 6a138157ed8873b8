//! A small client for the lab: HTTP over TLS, pinned by the certificate's own text, JSON-RPC 2.0.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use poolgate::lab::Endpoint;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// A connection to a host of the lab.
pub struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
    host: String,
}

/// A response, read whole.
#[derive(Debug)]
pub struct Response {
    /// As `HTTP/1.1 200 OK`.
    pub status: String,
    /// Names and values, as they came.
    pub headers: Vec<(String, String)>,
    /// As text.
    pub body: String,
}

impl Response {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl Client {
    /// Connects, and demands the certificate that the lab names.
    pub fn connect(endpoint: &Endpoint) -> Self {
        Self::try_connect(endpoint).unwrap()
    }

    /// The same, where it may fail.
    pub fn try_connect(endpoint: &Endpoint) -> std::io::Result<Self> {
        let pinned = Arc::new(Pinned(endpoint.fingerprint.clone()));
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(pinned)
            .with_no_client_auth();
        let name = ServerName::from(endpoint.address);
        let connection = ClientConnection::new(Arc::new(config), name).map_err(std::io::Error::other)?;
        let socket = TcpStream::connect((endpoint.address, endpoint.port))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Self { stream, host: endpoint.address.to_string() })
    }

    /// The session of a new login.
    pub fn login(&mut self, user: &str, password: &str) -> String {
        let session =
            self.call("session.login_with_password", json!([user, password, "1.0", "poolgate tests"])).unwrap();
        session.as_str().unwrap().to_owned()
    }

    /// A call by JSON-RPC 2.0; an error as code and parameters.
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, Vec<String>> {
        self.try_call(method, params).unwrap()
    }

    /// The same, where the connection may end.
    pub fn try_call(&mut self, method: &str, params: Value) -> std::io::Result<Result<Value, Vec<String>>> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        let response = self.send("POST", "/jsonrpc", &[], &body)?;
        let mut answer: Value = serde_json::from_str(&response.body)?;
        let texts = |list: &Value| {
            list.as_array().into_iter().flatten().map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        Ok(match &answer["error"] {
            Value::Null => Ok(answer["result"].take()),
            list @ Value::Array(_) => Err(texts(list)),
            error => Err([vec![error["message"].as_str().unwrap().to_owned()], texts(&error["data"])].concat()),
        })
    }

    /// A request and its response.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Response> {
        let more: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length = body.len();
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n{more}Content-Length: {length}\r\n\r\n", self.host);
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body.as_bytes())?;
        self.stream.flush()?;
        let mut text = Vec::new();
        let end = loop {
            if let Some(at) = text.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            self.more(&mut text)?;
        };
        let head = String::from_utf8_lossy(&text[..end]).into_owned();
        let mut lines = head.lines();
        let status = lines.next().unwrap_or("").to_owned();
        let split = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut response = Response { status, headers: lines.filter_map(split).collect(), body: String::new() };
        let length: usize = response.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        while text.len() < end + 4 + length {
            self.more(&mut text)?;
        }
        response.body = String::from_utf8_lossy(&text[end + 4..]).into_owned();
        Ok(response)
    }

    fn more(&mut self, text: &mut Vec<u8>) -> std::io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk)? {
            0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
            read => {
                text.extend_from_slice(&chunk[..read]);
                Ok(())
            }
        }
    }
}

#[derive(Debug)]
struct Pinned(String);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let print: Vec<_> = Sha256::digest(leaf).iter().map(|byte| format!("{byte:02X}")).collect();
        if print.join(":") == self.0 {
            return Ok(ServerCertVerified::assertion());
        }
        Err(rustls::Error::General("another certificate".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            leaf,
            signed,
            &default_provider().signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            leaf,
            signed,
            &default_provider().signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        default_provider().signature_verification_algorithms.supported_schemes()
    }
}
