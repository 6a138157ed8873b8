//! Where passwords come from: a file, the environment, standard input, or a prompt; never an argument.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::os::fd::AsFd as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use super::args::LiveArgs;
use super::error::CliError;
use super::limits::PASSWORD;
use super::prompt::hidden;
use crate::collect::Target;
use crate::collect::xapi::{Address, Password};
use crate::text::plain;

/// A live target that needs a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Login {
    /// The target, as errors and prompts name it.
    pub(super) target: Target,
    pub(super) user: String,
    pub(super) address: Address,
}

/// One source that the operator named, and for which target.
struct Named<'a> {
    login: Option<&'a Login>,
    source: Source<'a>,
}

#[derive(Clone, Copy)]
enum Source<'a> {
    File(&'a str),
    Variable(&'a str),
}

/// The password of each target, in their order. A source named for a target goes before one named for all; what then
/// has none is read from standard input, or asked for.
pub(super) fn passwords(args: &LiveArgs, logins: &[Login]) -> Result<Vec<Password>, CliError> {
    let files = args.password_file.iter().map(|text| named(text, logins, Source::File, "--password-file"));
    let variables = args.password_env.iter().map(|text| named(text, logins, Source::Variable, "--password-env"));
    let sources: Vec<_> = files.chain(variables).collect::<Result<_, _>>()?;
    let for_all: Vec<_> = sources.iter().filter(|named| named.login.is_none()).collect();
    if for_all.len() > 1 {
        return Err(usage("more than one password for all targets; write TARGET=… to say which is whose"));
    }
    let mut found = Vec::with_capacity(logins.len());
    for login in logins {
        let mut own = sources.iter().filter(|named| named.login == Some(login));
        let source = own.next();
        if own.next().is_some() {
            return Err(usage(&format!("more than one password for {}", login.target)));
        }
        found.push(match source.or_else(|| for_all.first().copied()) {
            Some(named) => named.source.read()?,
            None if args.password_stdin => line(&mut unbuffered_stdin()?, login)?,
            None => prompt(login)?,
        });
    }
    Ok(found)
}

/// Splits `TARGET=SOURCE`. A file's name may hold `=`, so what stands before it must be a target of this run.
fn named<'a>(
    text: &'a str,
    logins: &'a [Login],
    source: impl Fn(&'a str) -> Source<'a>,
    option: &str,
) -> Result<Named<'a>, CliError> {
    // A user may hold `=` too.
    for (at, _) in text.match_indices('=') {
        let (word, rest) = (&text[..at], &text[at + 1..]);
        if let Some(login) = logins.iter().find(|login| login.is_named(word)) {
            return Ok(Named { login: Some(login), source: source(rest) });
        }
    }
    if text.starts_with("https://") {
        return Err(usage(&format!("{option}: no target of this run goes by what stands before \"=\"")));
    }
    Ok(Named { login: None, source: source(text) })
}

impl Login {
    /// Whether a word means this target: the target itself, or its address.
    fn is_named(&self, word: &str) -> bool {
        word == self.target.to_string() || word.parse().is_ok_and(|address: Address| address == self.address)
    }
}

impl Source<'_> {
    fn read(self) -> Result<Password, CliError> {
        match self {
            Self::File(path) => from_file(Path::new(path)),
            Self::Variable(name) => {
                let value = std::env::var(name).ok().filter(|value| !value.is_empty());
                let value = value.ok_or_else(|| usage(&format!("--password-env: {}", unset(name))))?;
                Ok(Password::new(Zeroizing::new(value)))
            }
        }
    }
}

/// Why a variable gives no password. What is no name of a variable is not repeated: it may be the password itself.
pub(super) fn unset(name: &str) -> String {
    let bytes = name.as_bytes();
    let is_name = bytes.first().is_some_and(|first| !first.is_ascii_digit())
        && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_');
    if is_name {
        format!("the variable {name} is not set, is empty or is not UTF-8")
    } else {
        "no variable of that name is set; it takes the name of a variable, and never the password".to_owned()
    }
}

fn from_file(path: &Path) -> Result<Password, CliError> {
    let wrong = |why: &str| usage(&format!("--password-file {}: {why}", path.display()));
    let mut file = File::open(path).map_err(|error| wrong(&error.to_string()))?;
    let meta = file.metadata().map_err(|error| wrong(&error.to_string()))?;
    if meta.is_dir() {
        return Err(wrong("is a folder"));
    }
    let mode = meta.permissions().mode() & 0o777;
    if meta.is_file() && mode & 0o077 != 0 {
        return Err(wrong(&format!("others may read it (mode {mode:03o}); chmod 600 it")));
    }
    let text = read_line(&mut file).map_err(|error| wrong(&error.to_string()))?;
    text.filter(|text| !text.is_empty())
        .map(Password::new)
        .ok_or_else(|| wrong("holds no password on its first line"))
}

fn line(from: &mut impl Read, login: &Login) -> Result<Password, CliError> {
    let text = read_line(from).map_err(|error| usage(&format!("--password-stdin: {error}")))?;
    text.filter(|text| !text.is_empty())
        .map(Password::new)
        .ok_or_else(|| usage(&format!("--password-stdin: standard input has no line for {}", login.target)))
}

/// Standard input without the buffer that would keep what was read.
fn unbuffered_stdin() -> Result<File, CliError> {
    let own = io::stdin().as_fd().try_clone_to_owned();
    own.map(File::from).map_err(|error| usage(&format!("--password-stdin: {error}")))
}

/// One line without its end, read byte by byte so that nothing behind it is taken; none at the end of the input.
fn read_line(from: &mut impl Read) -> io::Result<Option<Zeroizing<String>>> {
    // Room for all of it at once: growing would leave copies.
    let mut line = Zeroizing::new(Vec::with_capacity(PASSWORD));
    let mut byte = Zeroizing::new([0_u8]);
    loop {
        match from.read(&mut *byte) {
            Ok(0) if line.is_empty() => return Ok(None),
            Ok(0) => break,
            Ok(_) if byte[0] == b'\n' => break,
            Ok(_) if line.len() == PASSWORD => {
                return Err(io::Error::other(format!(
                    "the line is longer than {PASSWORD} bytes: that is no password"
                )));
            }
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    match String::from_utf8(std::mem::take(&mut *line)) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(io::Error::other("the password is not UTF-8"))
        }
    }
}

fn prompt(login: &Login) -> Result<Password, CliError> {
    let Login { user, address, .. } = login;
    let none = || {
        usage(&format!(
            "no password for {}; without a terminal give --password-file FILE, --password-env VAR or --password-stdin",
            login.target
        ))
    };
    if !io::stdin().is_terminal() && !io::stderr().is_terminal() {
        return Err(none());
    }
    match hidden(&format!("Password of {} at {address}: ", plain(user))) {
        Ok(text) if !text.is_empty() => Ok(Password::new(text)),
        Ok(_) => Err(usage(&format!("no password for {} was typed; nothing was sent", login.target))),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(usage(&format!("no password for {} was typed; nothing was sent", login.target)))
        }
        Err(_) => Err(none()),
    }
}

fn usage(message: &str) -> CliError {
    CliError::Usage(message.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(word: &str) -> Login {
        let target: Target = word.parse().unwrap();
        let Target::Url { user, address } = &target else { panic!("{word}") };
        let (user, address) = (user.clone().unwrap_or_else(|| "root".to_owned()), address.parse().unwrap());
        Login { target, user, address }
    }

    #[test]
    fn a_source_is_for_the_target_before_it_or_for_all() {
        let logins = [login("https://xen-1"), login("https://a=b@10.0.0.2:8443")];
        let parse = |text: &'static str| {
            let found = named(text, &logins, Source::File, "--password-file");
            found.map(|named| {
                (
                    named.login.map(|login| login.target.to_string()),
                    match named.source {
                        Source::File(path) => path.to_owned(),
                        Source::Variable(_) => panic!("a variable"),
                    },
                )
            })
        };
        let first = Some("https://xen-1".to_owned());
        assert_eq!(parse("https://xen-1=a=b").unwrap(), (first.clone(), "a=b".to_owned()));
        assert_eq!(parse("XEN-1=f").unwrap(), (first, "f".to_owned()));
        assert_eq!(parse("https://a=b@10.0.0.2:8443=f").unwrap().0.as_deref(), Some("https://a=b@10.0.0.2:8443"));
        assert_eq!(parse("a=b/file").unwrap(), (None, "a=b/file".to_owned()));
        assert!(parse("https://xen-2=f").is_err());
    }

    #[test]
    fn a_line_is_taken_and_what_follows_is_left() {
        let mut input = io::Cursor::new(b"one\r\ntwo\n\nlast".to_vec());
        let mut next = || read_line(&mut input).unwrap().map(|line| line.to_string());
        assert_eq!(next().as_deref(), Some("one"));
        assert_eq!(next().as_deref(), Some("two"));
        assert_eq!(next().as_deref(), Some(""));
        assert_eq!(next().as_deref(), Some("last"));
        assert_eq!(next(), None);
        assert!(read_line(&mut io::Cursor::new(vec![b'x'; PASSWORD + 1])).is_err());
        assert!(
            !read_line(&mut io::Cursor::new(b"hunter2\xff".to_vec())).unwrap_err().to_string().contains("hunter2")
        );
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        for (mode, fits) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(from_file(&path).is_ok(), fits, "{mode:o}");
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, "\n").unwrap();
        assert!(from_file(&path).unwrap_err().to_string().contains("no password"));
    }
}
