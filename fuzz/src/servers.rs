//! What names servers, and how they answer: words of the command line, known hosts, and HTTP on the local socket.

use std::time::{Duration, Instant};

use poolgate::collect::Target;
use poolgate::collect::xapi::{Address, Fingerprint, KnownHosts, read_http};
use poolgate::facts::Featureset;
use poolgate::fleet::ShardOf;
use poolgate::lab::Fault;
use poolgate::rules::Date;

use super::{told, told_of};

/// Words: what is accepted is written as something that is accepted again and means the same.
pub(crate) fn words(bytes: &[u8]) {
    let Ok(word) = std::str::from_utf8(bytes) else { return };
    match word.parse::<Target>() {
        Ok(target) => {
            let again = target.to_string().parse::<Target>();
            assert!(again.as_ref() == Ok(&target) || target.to_string().is_empty(), "{target:?} is {again:?} again");
        }
        Err(error) => {
            told(&error.to_string());
            // What may hold a password is not repeated.
            let (scheme, rest) = word.split_once("://").unwrap_or((word, ""));
            let said = error.to_string().replacen(scheme, "", 1);
            let repeated = said.contains(rest) && !scheme.contains(rest);
            assert!(rest.len() < 8 || !repeated, "{error}");
        }
    }
    match word.parse::<Address>() {
        Ok(address) => {
            assert_eq!(address.to_string().parse(), Ok(address.clone()));
            if let Ok(other) = address.at(word) {
                assert_eq!(other.port(), address.port());
            }
        }
        Err(error) => told(&error.to_string()),
    }
    match word.parse::<Fingerprint>() {
        Ok(fingerprint) => assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint)),
        Err(error) => told(&error.to_string()),
    }
    match word.parse::<Date>() {
        Ok(date) => assert_eq!(date.to_string().parse(), Ok(date)),
        Err(error) => told(&error.to_string()),
    }
    match word.parse::<Featureset>() {
        Ok(set) => assert_eq!(set.to_string().parse(), Ok(set)),
        Err(error) => told(&error.to_string()),
    }
    match word.parse::<ShardOf>() {
        Ok(shard) => {
            assert!(0 < shard.index && shard.index <= shard.of, "{shard}");
            assert_eq!(shard.to_string().parse(), Ok(shard));
        }
        Err(error) => told(&error.to_string()),
    }
    if let Err(error) = word.parse::<Fault>() {
        told(&error.to_string());
    }
}

pub(crate) fn known_hosts(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match KnownHosts::from_text("known_hosts".into(), text) {
        Ok(known) => {
            // Every line that is no remark names an address whose certificate is found.
            for line in text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#')) {
                let address = line.split_whitespace().next().map(str::parse::<Address>);
                let Some(Ok(address)) = address else { panic!("a line that is no entry: {line:?}") };
                assert!(known.at(&address).is_some(), "{address} is not found");
            }
        }
        Err(error) => told_of("known_hosts", &error.to_string()),
    }
}

/// An answer of HTTP as the toolstack's socket gives it. A body is never longer than what came.
pub(crate) fn http(bytes: &[u8]) {
    match read_http(bytes, Instant::now() + Duration::from_secs(60)) {
        Ok((_, body)) => assert!(body.len() < bytes.len()),
        Err(why) => told(&why),
    }
}
