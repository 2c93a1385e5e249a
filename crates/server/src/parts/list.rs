//! Long lists: columns to sort by, and pages to turn.

use maud::{Markup, html};

use super::{link, words};

/// Rows on one page of a table.
pub(crate) const ROWS: u64 = 50;

/// The state of a list as its address says it: what is shown, and how to say the next state.
pub(crate) struct Listed<'a> {
    /// Path of the page.
    pub path: &'a str,
    /// The query without `sort` and `page`.
    pub filter: &'a [(&'a str, &'a str)],
    /// The column it is sorted by.
    pub sort: &'a str,
    /// From 1.
    pub page: u64,
    /// Rows altogether.
    pub total: u64,
}

impl Listed<'_> {
    fn address(&self, sort: &str, page: u64) -> String {
        let page = if page <= 1 { String::new() } else { page.to_string() };
        let mut pairs = self.filter.to_vec();
        pairs.push(("sort", sort));
        pairs.push(("page", &page));
        link::query(self.path, &pairs)
    }

    /// The heading of a column that can be sorted by. Every column has one natural direction, so there is one link.
    pub(crate) fn column(&self, key: &str, name: &str, ascending: bool) -> Markup {
        let current = self.sort == key;
        let direction = if ascending { "ascending" } else { "descending" };
        html! {
            th scope="col" aria-sort=[current.then_some(direction)] {
                a href=(self.address(key, 1)) {
                    (name)
                    @if current { span aria-hidden="true" { (if ascending { " ↑" } else { " ↓" }) } }
                }
            }
        }
    }

    /// "51–100 of 240" and where to go from there; nothing when everything fits on one page.
    pub(crate) fn pages(&self) -> Markup {
        let last = self.total.div_ceil(ROWS).max(1);
        let from = (self.page - 1).saturating_mul(ROWS) + 1;
        let to = (from + ROWS - 1).min(self.total);
        html! {
            @if last > 1 {
                nav.pages aria-label="Pages" {
                    @if self.page > 1 {
                        a.button rel="prev" href=(self.address(self.sort, self.page - 1)) { "← Previous" }
                    } @else { span {} }
                    span.quiet {
                        (words::thousands(from)) "–" (words::thousands(to)) " of " (words::thousands(self.total))
                    }
                    @if self.page < last {
                        a.button rel="next" href=(self.address(self.sort, self.page + 1)) { "Next →" }
                    } @else { span {} }
                }
            }
        }
    }
}
