//! In which form a command prints, and where to.

use std::path::PathBuf;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::{Args, ValueEnum, ValueHint};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
}

/// A set of formats of which a command offers one.
pub(in crate::cli) trait FileFormat: ValueEnum + Default + Send + Sync + 'static {
    /// The extensions by which `-o` picks one.
    const EXTENSIONS: &'static [(&'static str, Self)];

    /// As what it is made safe.
    fn dress(&self) -> Dress;
}

/// What a text is, for the last look at it before it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Dress {
    /// Lines for people, or markup in which they stand.
    Lines,
    /// JSON, which has escapes of its own.
    Json,
    /// Commands for a log of CI, which lines for people must not be.
    Commands,
}

impl FileFormat for Format {
    const EXTENSIONS: &'static [(&'static str, Self)] = &[("json", Self::Json), ("txt", Self::Table)];

    fn dress(&self) -> Dress {
        match self {
            Self::Table => Dress::Lines,
            Self::Json => Dress::Json,
        }
    }
}

/// The formats of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
    /// For programs, a line a host
    Ndjson,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// JUnit XML, a case for each rule and host
    Junit,
    /// For a pull request
    Markdown,
    /// One page with pictures, to send and to print
    Html,
    /// Annotations in a GitHub Actions log
    Github,
    /// GitLab code quality
    Gitlab,
}

impl FileFormat for ReportFormat {
    const EXTENSIONS: &'static [(&'static str, Self)] = &[
        ("json", Self::Json),
        ("ndjson", Self::Ndjson),
        ("sarif", Self::Sarif),
        ("xml", Self::Junit),
        ("md", Self::Markdown),
        ("html", Self::Html),
        ("txt", Self::Table),
    ];

    fn dress(&self) -> Dress {
        match self {
            Self::Table | Self::Junit | Self::Markdown | Self::Html => Dress::Lines,
            Self::Json | Self::Ndjson | Self::Sarif | Self::Gitlab => Dress::Json,
            Self::Github => Dress::Commands,
        }
    }
}

/// The formats of what is read and not judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PageFormat {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
    /// For a documentation page
    Markdown,
}

impl FileFormat for PageFormat {
    const EXTENSIONS: &'static [(&'static str, Self)] =
        &[("json", Self::Json), ("md", Self::Markdown), ("txt", Self::Table)];

    fn dress(&self) -> Dress {
        match self {
            Self::Table | Self::Markdown => Dress::Lines,
            Self::Json => Dress::Json,
        }
    }
}

/// The formats of plans for pools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum PlanFormat {
    /// For people, 80 columns
    #[default]
    Table,
    /// For programs, versioned
    Json,
    /// For a pull request
    Markdown,
    /// One page with pictures, to send and to print
    Html,
}

impl FileFormat for PlanFormat {
    const EXTENSIONS: &'static [(&'static str, Self)] =
        &[("json", Self::Json), ("md", Self::Markdown), ("html", Self::Html), ("txt", Self::Table)];

    fn dress(&self) -> Dress {
        match self {
            Self::Table | Self::Markdown | Self::Html => Dress::Lines,
            Self::Json => Dress::Json,
        }
    }
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Output<F: FileFormat = Format> {
    /// How to print
    #[arg(long, value_enum)]
    pub(in crate::cli) format: Option<F>,
    /// Write to this file instead of standard output; repeatable, format by extension
    #[arg(short = 'o', long = "output", value_name = "FILE", value_hint = ValueHint::FilePath, value_parser = new_file())]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// No colour, also on a terminal
    #[arg(long)]
    pub(in crate::cli) no_color: bool,
}

/// A file to be written.
pub(in crate::cli) fn new_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.to_str() {
        Some("-") => Err("standard output is where it goes without this option; a file of that name is ./-"),
        _ => Ok(path),
    })
}
