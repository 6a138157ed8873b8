//! Whose certificate is trusted, and what is said where it is not. Nothing is asked of a server that is not trusted.

pub mod common;

use std::fs;

use common::fake::{Fake, Identity, PASSWORD, logging_in, pem, small};
use common::run::{Poolgate, poolgate};

fn collect(fake: &Fake) -> Poolgate {
    poolgate(["collect", &fake.url(), "--password-env", "PW", "--timeout", "20s"]).env("PW", PASSWORD)
}

fn fake() -> Fake {
    Fake::start(logging_in(small))
}

/// Text with what differs from run to run taken out.
fn steady(text: &str, fake: &Fake) -> String {
    let (colons, plain) = (fake.fingerprint.to_string(), fake.fingerprint.plain());
    text.replace(&fake.address.to_string(), "SERVER").replace(&colons, "COLONS").replace(&plain, "PLAIN")
}

#[test]
fn an_unknown_certificate_stops_with_the_flag_to_add() {
    let (fake, folder) = (fake(), tempfile::tempdir().unwrap());
    let known = folder.path().join("known_hosts");
    let complaint = collect(&fake).with(["--known-hosts", known.to_str().unwrap()]).status(4).complaint();
    insta::assert_snapshot!(steady(&complaint, &fake), @"poolgate: SERVER: its certificate is not known yet: SHA-256 COLONS. Compare it on the host's console (openssl x509 -in /etc/xensource/xapi-ssl.pem -noout -fingerprint -sha256), then add --tls-fingerprint SERVER=PLAIN");
    assert_eq!(fake.methods(), Vec::<String>::new());
    assert!(!known.exists(), "nobody confirmed it");
}

#[test]
fn a_pin_in_any_form_is_enough_and_another_is_not() {
    let fake = fake();
    let pins = [
        fake.fingerprint.to_string(),
        fake.fingerprint.plain().to_uppercase(),
        format!("{}={}", fake.address, fake.fingerprint.to_string().to_lowercase()),
        format!("https://{}=sha256:{}", fake.address, fake.fingerprint.plain()),
    ];
    for pin in pins {
        collect(&fake).with(["--tls-fingerprint", &pin]).status(0);
    }
    let asked = fake.asked().len();
    // A pin for the address goes before one for all.
    let other = Identity::own().fingerprint();
    let named = format!("{}={other}", fake.address);
    let words = ["--tls-fingerprint", &named, "--tls-fingerprint", &fake.fingerprint.plain()];
    let complaint = collect(&fake).with(words).status(4).complaint();
    assert!(
        complaint.contains(&other.to_string()) && complaint.contains(&fake.fingerprint.to_string()),
        "{complaint}"
    );
    assert_eq!(fake.asked().len(), asked);
    let bad = collect(&fake).with(["--tls-fingerprint", "abc"]).status(2).complaint();
    insta::assert_snapshot!(bad, @r#"poolgate: --tls-fingerprint: "abc" is no SHA-256 fingerprint: it has 3 digits; expected 64 hex digits, with or without colons"#);
}

#[test]
fn a_changed_certificate_stops_with_both_fingerprints() {
    let (fake, folder) = (fake(), tempfile::tempdir().unwrap());
    let known = folder.path().join("poolgate/known_hosts");
    fs::create_dir(folder.path().join("poolgate")).unwrap();
    fs::write(&known, format!("# mine\n{} sha256:{}\n", fake.address, fake.fingerprint.plain())).unwrap();
    let run = || collect(&fake).env("XDG_CONFIG_HOME", folder.path().to_str().unwrap());
    run().status(0);
    let identity = Identity::own();
    let shown = identity.fingerprint().to_string();
    fake.show(identity);
    let asked = fake.asked().len();
    let complaint = run().status(4).complaint();
    let steady = steady(&complaint, &fake).replace(&shown, "SHOWN").replace(known.to_str().unwrap(), "FILE");
    insta::assert_snapshot!(steady, @"poolgate: SERVER: its certificate is not the expected one: expected SHA-256 COLONS, found SHOWN. Somebody may be in between, or the certificate was replaced: compare on the host's console, then remove the line of SERVER from FILE");
    assert_eq!(fake.asked().len(), asked);
    assert!(fs::read_to_string(&known).unwrap().starts_with("# mine\n"));
    fs::write(&known, "what is this\n").unwrap();
    let complaint = run().status(2).complaint();
    assert!(complaint.contains("known_hosts:1: 3 words; expected ADDRESS[:PORT] sha256:HEX"), "{complaint}");
}

#[test]
fn an_authority_vouches_for_its_own_alone() {
    let (identity, root) = Identity::vouched();
    let fake = Fake::with(identity, "127.0.0.1:0".parse().unwrap(), logging_in(small));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let with = |root: &[u8]| {
        fs::write(&file, pem(root)).unwrap();
        collect(&fake).with(["--ca-file", file.to_str().unwrap()])
    };
    with(&root).status(0);
    let complaint = with(&Identity::vouched().1).status(4).complaint();
    assert!(complaint.contains("no authority of --ca-file vouches for its certificate"), "{complaint}");
    assert!(complaint.contains(&fake.fingerprint.to_string()), "{complaint}");
    fs::write(&file, "no certificate").unwrap();
    let complaint = collect(&fake).with(["--ca-file", file.to_str().unwrap()]).status(2).complaint();
    assert!(complaint.contains("holds no certificate; expected certificates in PEM"), "{complaint}");
}

#[test]
fn a_certificate_that_changes_midway_stops() {
    // The first connection is trusted; the server cuts it, and the next shows another certificate.
    let other = std::sync::Mutex::new(None);
    let fake = std::sync::Arc::new(std::sync::OnceLock::<Fake>::new());
    let later = std::sync::Arc::clone(&fake);
    *other.lock().unwrap() = Some(Identity::own());
    let server = Fake::start(logging_in(move |asked| {
        if asked.method == "VM.get_all_records"
            && let Some(identity) = other.lock().unwrap().take()
        {
            later.wait().show(identity);
            return common::fake::Answer::Reset;
        }
        small(asked)
    }));
    let pin = server.fingerprint.plain();
    let url = server.url();
    assert!(fake.set(server).is_ok());
    let complaint = poolgate(["collect", &url, "--password-env", "PW", "--tls-fingerprint", &pin])
        .env("PW", PASSWORD)
        .status(4)
        .complaint();
    assert!(complaint.contains("its certificate is not the expected one"), "{complaint}");
}
