//! FIRST's exploit predictions: `#model_version:…,score_date:…`, `cve,epss,percentile`, and a row for each CVE.
//!
//! Source: <https://www.first.org/epss/data_stats>.

use boltseal_model::{Enrichment, Epss as Numbers, Timestamp};

use super::{Document, Format, Tally, is_cve, skip_mark};
use crate::{Error, Sink, limits};

/// The format.
pub struct Epss;

const ID: &str = "epss";
const HEADER: &[u8] = b"cve,epss,percentile";

impl Format for Epss {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "FIRST EPSS scores: CSV, plain or compressed"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        head.starts_with(b"#model_version") || head.starts_with(HEADER)
    }

    fn read(&self, document: &mut Document<'_>, _: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        skip_mark(document.input).map_err(|error| Error::broken(document.name, ID, error))?;
        let mut tally = Tally::default();
        let mut headed = false;
        let mut line = Vec::new();
        let mut number = 0_u64;
        while document.line(&mut line, limits::MAX_LINE_BYTES, ID)? {
            number += 1;
            let text = String::from_utf8_lossy(&line);
            if let Some(comment) = text.strip_prefix('#') {
                tally.published = tally.published.or_else(|| score_date(comment));
            } else if !headed {
                if !line.starts_with(HEADER) {
                    return Err(Error::broken(
                        document.name,
                        ID,
                        "the first row is not `cve,epss,percentile`",
                    ));
                }
                headed = true;
            } else if let Some((cve, epss)) = row(&text) {
                tally.records += 1;
                sink.enrichment(Enrichment::Epss { cve: cve.to_owned(), epss });
            } else if !text.is_empty() {
                let why = format!("`{}` is not CVE,score,percentile", super::cut(&text, 80));
                tally.reject(sink, &format!("{} line {number}", document.name), &why);
            }
        }
        if headed { Ok(tally) } else { Err(Error::broken(document.name, ID, "no header row")) }
    }
}

fn row(text: &str) -> Option<(&str, Numbers)> {
    let mut cells = text.split(',');
    let cve = cells.next().filter(|cve| is_cve(cve))?;
    let mut share = || cells.next()?.parse().ok().filter(|share: &f64| (0.0..=1.0).contains(share));
    Some((cve, Numbers { score: share()?, percentile: share()? }))
}

/// `score_date:2024-10-25T00:00:00+0000` among the remarks of the first line.
fn score_date(comment: &str) -> Option<Timestamp> {
    let date = comment.split(',').find_map(|remark| remark.strip_prefix("score_date:"))?.trim();
    date.parse().ok().or_else(|| format!("{date}T00:00:00Z").parse().ok())
}
