//! CISA's Known Exploited Vulnerabilities catalog, as JSON or CSV.
//!
//! Source: <https://www.cisa.gov/known-exploited-vulnerabilities-catalog> and its JSON schema there.

use boltseal_model::{Date, Enrichment, Kev as Entry, Timestamp};
use serde::Deserialize;

use super::{Document, Format, Tally, csv, is_cve, skip_mark};
use crate::{Error, Sink, limits};

/// The format.
pub struct Kev;

const ID: &str = "kev";

/// The first column of the CSV form; JSON has the same names.
const FIRST_COLUMN: &[u8] = b"cveID";

#[derive(Deserialize)]
struct Catalog {
    #[serde(rename = "dateReleased")]
    released: Option<Timestamp>,
    vulnerabilities: Vec<serde_json::Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Row {
    #[serde(rename = "cveID")]
    cve: String,
    date_added: String,
    due_date: String,
    known_ransomware_campaign_use: String,
}

impl Format for Kev {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "CISA Known Exploited Vulnerabilities: JSON or CSV"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        head.starts_with(FIRST_COLUMN)
            || (head.starts_with(b"{") && has(b"\"cveID\"") && has(b"\"vulnerabilities\""))
    }

    fn read(&self, document: &mut Document<'_>, _: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let broken = |name: &str, error: std::io::Error| Error::broken(name, ID, error);
        skip_mark(document.input).map_err(|error| broken(document.name, error))?;
        let csv = document
            .input
            .fill_buf()
            .map_err(|error| broken(document.name, error))?
            .starts_with(FIRST_COLUMN);
        if csv { table(document, sink) } else { object(document, sink) }
    }
}

fn object(document: &mut Document<'_>, sink: &mut dyn Sink) -> Result<Tally, Error> {
    let bytes = document.whole(limits::MAX_RECORD_BYTES, ID)?;
    let catalog: Catalog =
        serde_json::from_slice(&bytes).map_err(|error| Error::broken(document.name, ID, error))?;
    let mut tally = Tally { published: catalog.released, ..Tally::default() };
    for value in catalog.vulnerabilities {
        match serde_json::from_value::<Row>(value) {
            Ok(row) => take(&row, document.name, sink, &mut tally),
            Err(error) => tally.reject(sink, document.name, &error.to_string()),
        }
    }
    Ok(tally)
}

fn table(document: &mut Document<'_>, sink: &mut dyn Sink) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    let mut rows = csv::Rows::new(ID);
    let Some(header) = rows.next(document)? else {
        return Err(Error::broken(document.name, ID, "no header line"));
    };
    let column = |name: &str| header.iter().position(|column| column == name);
    let [cve, added, due, ransomware] =
        ["cveID", "dateAdded", "dueDate", "knownRansomwareCampaignUse"].map(column);
    while let Some(row) = rows.next(document)? {
        if row.len() != header.len() {
            let what = format!("{} row {}", document.name, rows.number());
            tally.reject(sink, &what, &format!("{} columns instead of {}", row.len(), header.len()));
            continue;
        }
        let cell = |at: Option<usize>| at.and_then(|at| row.get(at)).cloned().unwrap_or_default();
        let row = Row {
            cve: cell(cve),
            date_added: cell(added),
            due_date: cell(due),
            known_ransomware_campaign_use: cell(ransomware),
        };
        take(&row, document.name, sink, &mut tally);
    }
    Ok(tally)
}

fn take(row: &Row, name: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    if !is_cve(&row.cve) {
        return tally.reject(sink, name, &format!("`{}` is not a CVE id", super::cut(&row.cve, 40)));
    }
    let Ok(added) = row.date_added.parse::<Date>() else {
        return tally.reject(
            sink,
            &row.cve,
            &format!("dateAdded `{}` is not a date", super::cut(&row.date_added, 40)),
        );
    };
    tally.records += 1;
    let kev = Entry {
        added,
        due: row.due_date.parse().ok(),
        ransomware: row.known_ransomware_campaign_use.eq_ignore_ascii_case("known"),
    };
    sink.enrichment(Enrichment::Kev { cve: row.cve.clone(), kev });
}
