//! Which certificate counts for which address, and the check of it during the handshake.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use super::error::TrustProblem;
use super::{Address, Fingerprint, KnownHosts};
use crate::collect::limits::AUTHORITIES;

/// What a server's certificate must be: one of these, or vouched for by these authorities.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    pins: Vec<Fingerprint>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Whether this was said of the very address, and nothing else counts there.
    own: bool,
    /// What to do where the certificate is another one.
    remedy: String,
}

/// Everything that the operator trusts.
#[derive(Debug)]
pub struct TrustStore {
    addressed: Vec<(Address, Fingerprint)>,
    anywhere: Vec<Fingerprint>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    known: Mutex<KnownHosts>,
}

/// Why a file of authorities is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("--ca-file {file}: {why}; expected certificates in PEM")]
pub struct AuthorityError {
    file: String,
    why: String,
}

impl TrustStore {
    /// Nothing but what is in the file of known hosts.
    pub const fn new(known: KnownHosts) -> Self {
        Self { addressed: Vec::new(), anywhere: Vec::new(), authorities: None, known: Mutex::new(known) }
    }

    /// Trusts a certificate at one address, or wherever no other was named.
    pub fn pin(&mut self, address: Option<Address>, fingerprint: Fingerprint) {
        match address {
            Some(address) => self.addressed.push((address, fingerprint)),
            None => self.anywhere.push(fingerprint),
        }
    }

    /// Trusts the authorities of a PEM file.
    pub fn add_authorities(&mut self, file: &Path) -> Result<(), AuthorityError> {
        let wrong = |why: String| AuthorityError { file: file.display().to_string(), why };
        let mut roots = RootCertStore::empty();
        let mut text = Vec::new();
        let read = std::fs::File::open(file).and_then(|file| file.take(AUTHORITIES + 1).read_to_end(&mut text));
        read.map_err(|error| wrong(error.to_string()))?;
        if text.len() as u64 > AUTHORITIES {
            return Err(wrong(format!(
                "larger than {} MiB, the most that is read of authorities",
                AUTHORITIES >> 20
            )));
        }
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(wrong("holds no certificate".to_owned()));
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
        self.authorities = Some(verifier.map_err(|error| wrong(error.to_string()))?);
        Ok(())
    }

    /// The addresses that certificates were named for.
    pub fn pinned(&self) -> impl Iterator<Item = &Address> {
        self.addressed.iter().map(|(address, _)| address)
    }

    /// What is trusted at an address. A certificate named for this very address goes before all others; what the
    /// operator said on the command line goes before the file of known hosts.
    pub fn at(&self, address: &Address) -> Trust {
        let named = self.addressed.iter().filter(|(at, _)| at == address);
        let named: Vec<_> = named.map(|(_, fingerprint)| *fingerprint).collect();
        let by_option = "correct --tls-fingerprint".to_owned();
        if !named.is_empty() {
            return Trust { pins: named, authorities: None, own: true, remedy: by_option };
        }
        if !self.anywhere.is_empty() || self.authorities.is_some() {
            let authorities = self.authorities.clone();
            return Trust { pins: self.anywhere.clone(), authorities, own: false, remedy: by_option };
        }
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let pins: Vec<_> = known.at(address).into_iter().collect();
        let own = !pins.is_empty();
        let remedy = format!("remove the line of {address} from {}", known.path().display());
        Trust { pins, authorities: None, own, remedy }
    }

    /// Remembers a certificate that the operator has confirmed.
    pub fn confirm(&self, address: &Address, found: Fingerprint) -> Result<(), super::KnownHostsError> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).add(address, found)
    }
}

impl Trust {
    /// With the certificate that a trusted member names as its coordinator's, where nothing was said of the
    /// coordinator's own address.
    #[must_use]
    pub fn or_named_by(mut self, member: &Address, named: Option<Fingerprint>) -> Self {
        if let Some(named) = named
            && !self.own
        {
            self.pins.push(named);
            self.remedy = format!("give --tls-fingerprint for both addresses: {member} names another certificate");
        }
        self
    }
}

/// What the last handshake saw; shared with the verifier, so that errors are told by type and not by their words.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Sight>);

#[derive(Clone, Debug, Default)]
struct Sight {
    fingerprint: Option<Fingerprint>,
    problem: Option<TrustProblem>,
    /// Why the signature of the handshake could not be checked: an X.509 v1 certificate, for one.
    signature: Option<String>,
}

impl Seen {
    fn change(&self, change: impl FnOnce(&mut Sight)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn get(&self) -> Sight {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The certificate that was shown last.
    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.get().fingerprint
    }

    /// Why it was refused.
    pub(super) fn problem(&self) -> Option<TrustProblem> {
        self.get().problem
    }

    /// Why its signature could not be checked.
    pub(super) fn signature(&self) -> Option<String> {
        self.get().signature
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// How to encrypt, with the check of the certificate built in. Sessions of TLS are not resumed: every connection shows
/// its certificate again.
pub(super) fn config(trust: Trust, seen: Arc<Seen>) -> Result<ClientConfig, rustls::Error> {
    let provider = provider();
    let verifier = Arc::new(Verifier { trust, seen, provider: Arc::clone(&provider) });
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    Ok(config)
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    seen: Arc<Seen>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    fn judge(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), TrustProblem> {
        let found = Fingerprint::of(certificate);
        let Trust { pins, authorities, remedy, .. } = &self.trust;
        if pins.contains(&found) {
            return Ok(());
        }
        match authorities {
            Some(authorities) => match authorities.verify_server_cert(certificate, chain, name, ocsp, now) {
                Ok(_) => Ok(()),
                Err(error) => Err(TrustProblem::Authority { why: error.to_string(), found }),
            },
            None if pins.is_empty() => Err(TrustProblem::Unknown { found }),
            None => Err(TrustProblem::Changed { expected: pins.clone(), found, remedy: remedy.clone() }),
        }
    }

    fn signed(
        &self,
        checked: Result<HandshakeSignatureValid, rustls::Error>,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        if let Err(error) = &checked {
            self.seen.change(|sight| sight.signature = Some(error.to_string()));
        }
        checked
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let problem = self.judge(certificate, chain, name, ocsp, now).err();
        let fingerprint = Some(Fingerprint::of(certificate));
        self.seen.change(|sight| *sight = Sight { fingerprint, problem: problem.clone(), signature: None });
        match problem {
            None => Ok(ServerCertVerified::assertion()),
            Some(_) => Err(rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signed(verify_tls12_signature(message, certificate, signed, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        self.signed(verify_tls13_signature(message, certificate, signed, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
