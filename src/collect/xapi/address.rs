//! Where a server listens.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// The port of the management API.
const PORT: u16 = 443;

/// Host name or IP address, and port. Names are compared without case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    host: String,
    port: u16,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is no address: {why}; write a host name or an IP address, with :PORT where it is not 443", text.escape_debug())]
pub struct AddressError {
    text: String,
    why: &'static str,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = |why| AddressError { text: text.chars().take(80).collect(), why };
        let (host, port) = split(text).map_err(wrong)?;
        let port = match port {
            None => PORT,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => return Err(wrong("the port is not a number from 1 to 65535")),
                Ok(port) => port,
            },
        };
        Ok(Self { host, port })
    }
}

/// The host, in the one form in which it is compared, and the port where there is one.
fn split(text: &str) -> Result<(String, Option<&str>), &'static str> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, port) = rest.split_once(']').ok_or("\"[\" without \"]\"")?;
        let port = match port {
            "" => None,
            port => Some(port.strip_prefix(':').ok_or("only :PORT may follow \"]\"")?),
        };
        return Ok((v6(host)?, port));
    }
    if text.bytes().filter(|byte| *byte == b':').count() > 1 {
        return Ok((v6(text)?, None));
    }
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    if host.is_empty() || !host.bytes().all(part) || host.starts_with(['-', '.']) {
        return Err("the host is no name and no IP address");
    }
    Ok((host.trim_end_matches('.').to_ascii_lowercase(), port))
}

fn v6(text: &str) -> Result<String, &'static str> {
    if text.contains('%') {
        return Err(
            "addresses with a zone (%eth0) cannot be reached by HTTPS; use the host's name or another address",
        );
    }
    let address: Ipv6Addr = text.parse().map_err(|_| "this is no IPv6 address")?;
    Ok(address.to_string())
}

impl Address {
    /// The host: a name in lower case, or an IP address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, 443 unless said otherwise.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Another host at the same port.
    pub fn at(&self, host: &str) -> Result<Self, AddressError> {
        let found: Self = if host.contains(':') { format!("[{host}]").parse() } else { host.parse() }?;
        Ok(Self { port: self.port, ..found })
    }

    /// The URL of a path there.
    pub(crate) fn url(&self, path: &str) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        format!("https://{host}:{}{path}", self.port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        match (*port, host.contains(':')) {
            (PORT, _) => f.write_str(host),
            (port, true) => write!(f, "[{host}]:{port}"),
            (port, false) => write!(f, "{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        text.parse::<Address>().map_or_else(|error| error.to_string(), |address| address.to_string())
    }

    #[test]
    fn one_form_for_every_way_of_writing_it() {
        assert_eq!(shown("Xen-1.Example.com."), "xen-1.example.com");
        assert_eq!(shown("10.0.0.1:443"), "10.0.0.1");
        assert_eq!(shown("127.0.0.2:8443"), "127.0.0.2:8443");
        assert_eq!(shown("[FE80:0::1]:8443"), "[fe80::1]:8443");
        assert_eq!(shown("fe80::1"), "fe80::1");
        let again: Address = shown("[fe80::1]:444").parse().unwrap();
        assert_eq!(again.url("/jsonrpc"), "https://[fe80::1]:444/jsonrpc");
        assert_eq!(again.at("10.0.0.2").unwrap().to_string(), "10.0.0.2:444");
        assert_eq!(again.at("fe80::2").unwrap().to_string(), "[fe80::2]:444");
    }

    #[test]
    fn what_is_no_address() {
        for (text, why) in [
            ("", "no name"),
            ("a b", "no name"),
            ("-a", "no name"),
            ("xen:0", "port"),
            ("xen:70000", "port"),
            ("[fe80::1%25eth0]", "zone"),
            ("[fe80::1", "without"),
            ("[::1]x", "may follow"),
            ("1:2:3", "IPv6"),
        ] {
            assert!(shown(text).contains(why), "{text}: {}", shown(text));
        }
    }
}
