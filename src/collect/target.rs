//! The one word that names a target, on every command.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where facts come from, as the operator named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `local`: the machine that poolgate runs on.
    Local,
    /// A path to a file, or to a folder of XenAPI answers.
    File(PathBuf),
    /// `-`: standard input.
    Stdin,
    /// `https://[user@]address`: a live XenAPI endpoint. Has no room for a password.
    Url {
        /// The user to log in as.
        user: Option<String>,
        /// Host name or address, with an optional port.
        address: String,
    },
    /// `xapi-local`: the toolstack's own socket inside dom0.
    XapiLocal,
    /// `cpu:NAME`: a server that exists only on a quote.
    Cpu(String),
}

/// Why a word is no target. Never repeats what may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Nothing.
    #[error("an empty target; expected a file, `-`, `local`, https://ADDRESS, xapi-local or cpu:NAME")]
    Empty,
    /// A password inside the address.
    #[error(
        "a password does not belong in a target: others can read it in the process list and in the shell's history; \
         write https://USER@ADDRESS and give the password when asked"
    )]
    Password,
    /// Some other protocol.
    #[error("{scheme}:// targets are not supported; write https://[USER@]ADDRESS")]
    Scheme {
        /// The protocol.
        scheme: String,
    },
    /// Not an address.
    #[error("https:// must be followed by [USER@]ADDRESS[:PORT] and nothing else")]
    Address,
    /// `cpu:` without a name.
    #[error("cpu: must be followed by the CPU's name, as in cpu:\"Intel Xeon Gold 6330\"")]
    CpuName,
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(word: &str) -> Result<Self, TargetError> {
        match word {
            "" => return Err(TargetError::Empty),
            "-" => return Ok(Self::Stdin),
            "local" => return Ok(Self::Local),
            "xapi-local" => return Ok(Self::XapiLocal),
            _ => {}
        }
        if let Some(name) = word.strip_prefix("cpu:") {
            let name = name.trim_matches(|letter: char| letter == '"' || letter.is_whitespace());
            return if name.is_empty() { Err(TargetError::CpuName) } else { Ok(Self::Cpu(name.to_owned())) };
        }
        match word.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => url(rest),
            Some((scheme, _)) if is_scheme(scheme) => Err(TargetError::Scheme { scheme: scheme.to_owned() }),
            _ => Ok(Self::File(PathBuf::from(word))),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

fn url(rest: &str) -> Result<Target, TargetError> {
    // The last '@' ends the user: a password may itself hold one.
    let (user, address) = match rest.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, rest),
    };
    if user.is_some_and(|user| user.contains(':')) {
        return Err(TargetError::Password);
    }
    let address = address.strip_suffix('/').unwrap_or(address);
    let is_address = |letter: char| letter.is_ascii_alphanumeric() || ".-_:[]%".contains(letter);
    if address.is_empty() || !address.chars().all(is_address) || user.is_some_and(str::is_empty) {
        return Err(TargetError::Address);
    }
    Ok(Target::Url { user: user.map(str::to_owned), address: address.to_owned() })
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local => f.write_str("local"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => f.write_str("-"),
            Self::Url { user: Some(user), address } => write!(f, "https://{user}@{address}"),
            Self::Url { user: None, address } => write!(f, "https://{address}"),
            Self::XapiLocal => f.write_str("xapi-local"),
            Self::Cpu(name) => write!(f, "cpu:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(word: &str) -> Result<Target, TargetError> {
        word.parse()
    }

    #[test]
    fn every_kind_of_word() {
        assert_eq!(parse("local"), Ok(Target::Local));
        assert_eq!(parse("./local"), Ok(Target::File("./local".into())));
        assert_eq!(parse("-"), Ok(Target::Stdin));
        assert_eq!(parse("xapi-local"), Ok(Target::XapiLocal));
        assert_eq!(parse("a/b c.json"), Ok(Target::File("a/b c.json".into())));
        assert_eq!(parse("cpu:\"Intel Xeon Gold 6330\""), Ok(Target::Cpu("Intel Xeon Gold 6330".into())));
        // What is shown means the same again, whatever quotes and blanks there were.
        assert_eq!(parse("cpu: \" Gold 6330 \"\" \"").unwrap().to_string(), "cpu:Gold 6330");
        let url = |user: Option<&str>, address: &str| Target::Url {
            user: user.map(str::to_owned),
            address: address.to_owned(),
        };
        assert_eq!(parse("https://10.0.0.1"), Ok(url(None, "10.0.0.1")));
        assert_eq!(parse("https://root@[fe80::1%25eth0]:443/"), Ok(url(Some("root"), "[fe80::1%25eth0]:443")));
        assert_eq!(parse("https://root@xen-1").unwrap().to_string(), "https://root@xen-1");
    }

    #[test]
    fn a_password_is_refused_and_never_repeated() {
        for word in [
            "https://root:hunter2@xen-1",
            "https://root:hun@ter2@xen-1",
            "https://xen-1/?password=hunter2",
            "http://root:hunter2@xen-1",
            "https://xen-1 hunter2",
        ] {
            let error = parse(word).unwrap_err();
            assert!(!error.to_string().contains("ter2"), "{error}");
            assert!(!format!("{error:?}").contains("ter2"), "{error:?}");
        }
        assert_eq!(parse("https://root:hunter2@xen-1"), Err(TargetError::Password));
    }

    #[test]
    fn what_is_no_target() {
        assert_eq!(parse(""), Err(TargetError::Empty));
        assert_eq!(parse("cpu:"), Err(TargetError::CpuName));
        assert_eq!(parse("https://"), Err(TargetError::Address));
        assert_eq!(parse("https://@xen"), Err(TargetError::Address));
        assert_eq!(parse("ssh://xen"), Err(TargetError::Scheme { scheme: "ssh".into() }));
    }
}
