//! Runs the real binary: in the repository's root, so that paths of fixtures are short and stable; in an empty
//! environment, so that nothing of the developer's colours, widths or backtraces shows.

#![expect(clippy::panic, reason = "helpers of tests fail as tests do")]

use std::fmt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Starts a run of `poolgate` with these words.
pub fn poolgate<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Poolgate {
    let words: Vec<_> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_poolgate"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().args(&words);
    Poolgate { words, variables: Vec::new(), command }
}

/// `check` of fixtures, by their stems.
pub fn check(pool: &str, joiners: &[&str]) -> Poolgate {
    let mut words = vec!["check".to_owned(), "--pool".to_owned(), fixture(pool)];
    for joiner in joiners {
        words.extend(["--host".to_owned(), fixture(joiner)]);
    }
    poolgate(words)
}

/// A fixture's path from the repository's root.
pub fn fixture(stem: &str) -> String {
    format!("fixtures/{stem}.json")
}

/// A fixture's path from anywhere.
pub fn fixture_path(stem: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(fixture(stem))
}

/// A run that was not started yet.
pub struct Poolgate {
    words: Vec<String>,
    variables: Vec<(String, String)>,
    command: assert_cmd::Command,
}

impl Poolgate {
    /// Adds words.
    pub fn with<W: AsRef<str>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        for word in words {
            self.command.arg(word.as_ref());
            self.words.push(word.as_ref().to_owned());
        }
        self
    }

    /// Feeds standard input.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.command.write_stdin(text);
        self
    }

    /// Sets a variable of the environment.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Standard output as it is, escapes included, of a run with any verdict.
    pub fn raw(mut self) -> String {
        let output = self.command.output().unwrap_or_else(|error| panic!("cannot start poolgate: {error}"));
        let fits = matches!(output.status.code(), Some(0 | 1 | 3));
        assert!(fits, "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts it on a terminal of its own.
    pub fn on_a_terminal(self, columns: u16) -> super::pty::Terminal {
        super::pty::Terminal::start(&self.words, &self.variables, columns)
    }

    /// Starts it and does not wait; what it prints is lost.
    pub fn start(self) -> Child {
        self.spawn(false)
    }

    /// Starts it and does not wait; what it prints is kept.
    pub fn start_to_read(self) -> Child {
        self.spawn(true)
    }

    /// The same under `nohup`, as far as it matters: the terminal's end is ignored.
    pub fn start_ignoring_hangups(self) -> Child {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_poolgate")]);
        self.spawn_as(shell, true)
    }

    fn spawn(self, keep: bool) -> Child {
        self.spawn_as(Command::new(env!("CARGO_BIN_EXE_poolgate")), keep)
    }

    fn spawn_as(self, mut command: Command, keep: bool) -> Child {
        command.current_dir(env!("CARGO_MANIFEST_DIR")).env_clear().args(&self.words).stdin(Stdio::null());
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        let output = || if keep { Stdio::piped() } else { Stdio::null() };
        let child = command.stdout(output()).stderr(output()).spawn();
        child.unwrap_or_else(|error| panic!("cannot start poolgate: {error}"))
    }

    /// Runs, and demands this exit status.
    pub fn status(self, expected: i32) -> Done {
        self.any_status(|status| *status == expected)
    }

    /// Runs, and demands an exit status that fits.
    pub fn any_status(mut self, fits: impl Fn(&i32) -> bool) -> Done {
        let output = self.command.output().unwrap_or_else(|error| panic!("cannot start poolgate: {error}"));
        let text = |bytes| String::from_utf8(bytes).unwrap_or_else(|error| panic!("not UTF-8: {error}"));
        let done = Done {
            status: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        let command = self.words.join(" ");
        let fits = output.status.code().as_ref().is_some_and(fits);
        assert!(fits, "poolgate {command}: unexpected {}\n{done}", output.status);
        assert!(!done.stderr.contains("panicked"), "poolgate {command}: {done}");
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains('\u{1b}'), "poolgate {command}: an escape where there is no terminal: {text:?}");
        }
        done
    }
}

/// What a run printed.
pub struct Done {
    /// The exit status.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Done {
    /// Standard output of a run that complained of nothing.
    pub fn quietly(self) -> String {
        assert!(self.stderr.is_empty(), "unexpected complaints: {}", self.stderr);
        self.stdout
    }

    /// What a run complained of that printed nothing.
    pub fn complaint(self) -> String {
        assert!(self.stdout.is_empty(), "unexpected output beside a complaint: {}", self.stdout);
        assert!(!self.stderr.is_empty(), "no word of what was wrong");
        self.stderr
    }

    /// Standard error, which must speak of something.
    pub fn complaint_of(self, what: &str) -> String {
        assert!(self.stderr.contains(what), "no word of \"{what}\": {self}");
        self.stderr
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-- stdout\n{}-- stderr\n{}", self.stdout, self.stderr)
    }
}

/// Lines of a report that are wider than a terminal and are not commands, which are copied and never wrapped.
pub fn too_wide(report: &str) -> Vec<&str> {
    let is_command = |line: &&str| line.starts_with("  mend on the ") || line.starts_with("  xe ");
    report.lines().filter(|line| line.chars().count() > 80 && !is_command(line)).collect()
}
