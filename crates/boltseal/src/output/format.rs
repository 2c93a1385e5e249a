//! `--format`: the table for people, and every format of `scan::format`.

use boltseal_model::Report;
use boltseal_scan::format;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::exit::Failure;

use super::paint::Paint;

/// How a report is written.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Document(&'static format::Format),
}

impl Format {
    /// Reads the argument; help and completion list what [`format::ALL`] lists.
    pub fn parser() -> impl TypedValueParser<Value = Self> {
        let table = PossibleValue::new("table").help("For people");
        let documents = format::ALL.iter().map(|format| PossibleValue::new(format.name).help(format.about));
        PossibleValuesParser::new(std::iter::once(table).chain(documents))
            .map(|name| Self::named(&name).unwrap_or(Self::Table))
    }

    /// The names of all of them.
    pub fn names() -> impl Iterator<Item = &'static str> {
        std::iter::once("table").chain(format::ALL.iter().map(|format| format.name))
    }

    /// The format called `name`.
    pub fn named(name: &str) -> Option<Self> {
        if name == "table" { Some(Self::Table) } else { format::by_name(name).map(Self::Document) }
    }

    /// `report` in this format; `people` writes the table.
    pub fn text(
        self,
        report: &Report,
        paint: Paint,
        people: fn(&Report, Paint) -> String,
    ) -> Result<String, Failure> {
        match self {
            Self::Table => Ok(people(report, paint)),
            Self::Document(format) => format.text(report).map_err(|wrong| {
                Failure::fault(format_args!("cannot write the report as {}: {wrong}", format.name))
            }),
        }
    }
}
