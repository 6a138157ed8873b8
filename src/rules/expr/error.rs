//! What is wrong with an expression, and where: the errors that a rule's author sees when the rule is loaded.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A place in the source text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// One mistake in an expression or a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}{}", .help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default())]
pub struct ExprError {
    /// Where, in bytes of the expression's (or template's) own text.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl ExprError {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span: span.start..span.end, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Line and column, both from 1 and the column in characters, of the mistake in `text`, the file that holds the
    /// expression from the byte `base_offset` on.
    pub fn position(&self, text: &str, base_offset: usize) -> (usize, usize) {
        let at = floor_boundary(text, base_offset.saturating_add(self.span.start));
        let before = &text[..at];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The line of the mistake, from 1; see [`ExprError::position`].
    pub fn line(&self, text: &str, base_offset: usize) -> usize {
        self.position(text, base_offset).0
    }

    /// The column of the mistake in characters, from 1; see [`ExprError::position`].
    pub fn column(&self, text: &str, base_offset: usize) -> usize {
        self.position(text, base_offset).1
    }
}

/// Prints mistakes with the lines that hold them, without colour. `text` is the file named `file`; the expression
/// starts in it at the byte `base_offset` and stands there literally (no escapes between file and expression).
pub fn render(file: &str, text: &str, base_offset: usize, errors: &[ExprError]) -> String {
    let renderer = Renderer::plain();
    let mut out = String::new();
    for error in errors {
        let start = floor_boundary(text, base_offset.saturating_add(error.span.start));
        let end = floor_boundary(text, base_offset.saturating_add(error.span.end)).max(start);
        // Only the lines that are shown: the printer goes through all that it is given, for every mistake again.
        let first = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let last = text[end..].find('\n').map_or(text.len(), |newline| end + newline);
        let snippet = Snippet::source(&text[first..last])
            .line_start(text[..first].matches('\n').count() + 1)
            .path(file)
            .annotation(AnnotationKind::Primary.span(start - first..end - first));
        let title = Level::ERROR.primary_title(error.message.as_str());
        let mut group = title.element(snippet);
        if let Some(help) = &error.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        out.push_str(&renderer.render(&[group]));
        out.push('\n');
    }
    out
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The candidate that somebody most probably meant who wrote `name`.
pub(super) fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A word of one or two letters is close to everything.
    let limit = (name.chars().count() / 3).min(4);
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&name.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a, b and c`, shortened to what a line can hold.
pub(super) fn enumerate<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 12;
    let names: Vec<&str> = names.into_iter().collect();
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        many if many.len() > SHOWN => format!("{} and {} more", many[..SHOWN].join(", "), many.len() - SHOWN),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}
