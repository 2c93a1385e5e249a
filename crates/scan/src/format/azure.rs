//! Logging commands of Azure Pipelines: lines of a log that become issues of the run.
//!
//! ```text
//! ##vso[task.logissue type=error;sourcepath=var/lib/dpkg/status;linenumber=1;code=CVE-2026-0001]critical; …
//! ```
//!
//! Values escape `%` (as `%AZP25`), carriage return and line feed; properties also `;` and `]`. The agent looks for
//! commands anywhere in a line, so in lines that are none, `##` is broken up. Issues are errors or warnings; notes are
//! plain lines.

use std::io::{self, Write};

use boltseal_model::Report;

use super::{
    Format,
    notice::{Level, notices},
};

/// `azure`
pub(super) const FORMAT: Format = Format {
    name: "azure",
    media_type: "text/plain; charset=utf-8",
    extension: "txt",
    about: "Issues for the log of Azure Pipelines",
    write,
};

fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    for notice in notices(report) {
        let word = match notice.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => {
                writeln!(out, "{}", plain(&format!("note: {}: {}", notice.title, notice.message)))?;
                continue;
            }
        };
        write!(out, "##vso[task.logissue type={word};")?;
        if let Some((path, line)) = &notice.place {
            write!(out, "sourcepath={};linenumber={line};", property(path))?;
        }
        let text = format!("{}: {}", notice.title, notice.message);
        writeln!(out, "code={};]{}", property(&notice.code), data(&text))?;
    }
    Ok(())
}

fn data(text: &str) -> String {
    text.replace('%', "%AZP25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(';', "%3B").replace(']', "%5D")
}

fn plain(text: &str) -> String {
    // Of three in a row, the first round leaves two.
    text.replace("##", "# #").replace("##", "# #")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(data("100%; [a]\r\nb"), "100%AZP25; [a]%0D%0Ab");
        assert_eq!(property("100%; [a]\n"), "100%AZP25%3B [a%5D%0A");
        assert!(!plain("###vso[task.complete]").contains("##"));
    }
}
