//! Tests and how they ended, as `JUnit` XML: what every CI shows as a list.
//!
//! ```
//! use boltseal_junit::{Case, End, Suite, Told, written};
//!
//! let failed = Told::new("critical", "privileged", "it runs privileged; remove the line");
//! let cases = vec![
//!     Case::new("check", "a pod without a name", End::passed("")),
//!     Case::new("check", "a <privileged> pod", End::Failed(failed)).at("pod.yaml", 7),
//! ];
//! let xml = written("boltseal check", &[Suite { name: "pod.yaml".to_owned(), cases }]);
//! assert!(xml.contains("<testsuite name=\"pod.yaml\" tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\">"));
//! assert!(xml.contains("name=\"a &lt;privileged&gt; pod\" file=\"pod.yaml\" line=\"7\">"));
//! assert!(xml.contains("<failure type=\"critical\" message=\"privileged\">it runs"));
//! ```
//!
//! There is no specification; the shape is the one that Jenkins, GitLab, GitHub and Azure read. What is in the texts comes from
//! images and files of strangers: characters that XML cannot have, and those that turn the direction of what is read, are
//! replaced, in attributes also ends of lines.
//!
//! This crate must not know: what is tested.

use std::{borrow::Cow, fmt::Write as _};

/// Tests of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite<'t> {
    /// What they are about.
    pub name: String,
    /// The tests, in order.
    pub cases: Vec<Case<'t>>,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case<'t> {
    class: Cow<'t, str>,
    name: Cow<'t, str>,
    end: End<'t>,
    place: Option<(Cow<'t, str>, u64)>,
}

/// How a test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<'t> {
    /// Well, with a note unless that is empty.
    Passed(Cow<'t, str>),
    /// Something is wrong.
    Failed(Told<'t>),
    /// Nobody could tell.
    Broken(Told<'t>),
    /// It was left out, and why.
    Skipped(Cow<'t, str>),
}

/// What is told of a test that did not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told<'t> {
    /// In one word; nothing where it is empty.
    pub kind: Cow<'t, str>,
    /// In one line.
    pub message: Cow<'t, str>,
    /// All of it; nothing where it is empty.
    pub text: Cow<'t, str>,
}

impl<'t> Case<'t> {
    /// The test `name` of `class`, which lists group by.
    pub fn new(class: impl Into<Cow<'t, str>>, name: impl Into<Cow<'t, str>>, end: End<'t>) -> Self {
        Self { class: class.into(), name: name.into(), end, place: None }
    }

    /// It stands in this line of a file.
    #[must_use]
    pub fn at(mut self, file: impl Into<Cow<'t, str>>, line: u64) -> Self {
        self.place = Some((file.into(), line));
        self
    }
}

impl<'t> End<'t> {
    /// Well, with a note.
    pub fn passed(note: impl Into<Cow<'t, str>>) -> Self {
        Self::Passed(note.into())
    }

    /// Left out, and why.
    pub fn skipped(why: impl Into<Cow<'t, str>>) -> Self {
        Self::Skipped(why.into())
    }
}

impl<'t> Told<'t> {
    /// In one word, in one line, and all of it.
    pub fn new(
        kind: impl Into<Cow<'t, str>>,
        message: impl Into<Cow<'t, str>>,
        text: impl Into<Cow<'t, str>>,
    ) -> Self {
        Self { kind: kind.into(), message: message.into(), text: text.into() }
    }
}

/// The document with all `suites`, which `name` stands above.
pub fn written(name: &str, suites: &[Suite<'_>]) -> String {
    let cases: Vec<&Case<'_>> = suites.iter().flat_map(|suite| &suite.cases).collect();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&head("testsuites", name, &cases));
    for suite in suites {
        out.push_str("  ");
        out.push_str(&head("testsuite", &suite.name, &suite.cases.iter().collect::<Vec<_>>()));
        for case in &suite.cases {
            put(case, &mut out);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn head(element: &str, name: &str, cases: &[&Case<'_>]) -> String {
    let count = |is: fn(&End<'_>) -> bool| cases.iter().filter(|case| is(&case.end)).count();
    format!(
        "<{element} name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n",
        attribute(name),
        cases.len(),
        count(|end| matches!(end, End::Failed(_))),
        count(|end| matches!(end, End::Broken(_))),
        count(|end| matches!(end, End::Skipped(_))),
    )
}

/// Writing to a text cannot fail.
fn put(case: &Case<'_>, out: &mut String) {
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\"",
        attribute(&case.class),
        attribute(&case.name)
    );
    if let Some((file, line)) = &case.place {
        let _ = write!(out, " file=\"{}\" line=\"{line}\"", attribute(file));
    }
    let inside = match &case.end {
        End::Passed(note) if note.is_empty() => return out.push_str("/>\n"),
        End::Passed(note) => format!("<system-out>{}</system-out>", text(note)),
        End::Failed(told) => element("failure", told),
        End::Broken(told) => element("error", told),
        End::Skipped(why) => format!("<skipped message=\"{}\"/>", attribute(why)),
    };
    let _ = writeln!(out, ">{inside}</testcase>");
}

fn element(name: &str, told: &Told<'_>) -> String {
    let kind =
        if told.kind.is_empty() { String::new() } else { format!(" type=\"{}\"", attribute(&told.kind)) };
    let head = format!("<{name}{kind} message=\"{}\"", attribute(&told.message));
    if told.text.is_empty() { format!("{head}/>") } else { format!("{head}>{}</{name}>", text(&told.text)) }
}

/// For an attribute, in which an end of a line would become a space in some readers only.
fn attribute(value: &str) -> String {
    escaped(value, ' ')
}

fn text(value: &str) -> String {
    escaped(value, '\n')
}

fn escaped(value: &str, newline: char) -> String {
    let mut out = String::with_capacity(value.len());
    for sign in value.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push(newline),
            '\t' => out.push(' '),
            sign if is_hostile(sign) => out.push('\u{fffd}'),
            sign => out.push(sign),
        }
    }
    out
}

/// Control characters, marks of direction, and what is no character at all.
fn is_hostile(sign: char) -> bool {
    sign.is_control()
        || matches!(sign, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(sign, '\u{fffe}' | '\u{ffff}')
}
