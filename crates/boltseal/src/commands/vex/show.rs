//! `boltseal vex show FILE|REF`

use std::{fmt::Write as _, path::Path};

use boltseal_flow::vex;
use boltseal_image::remote::Name;
use boltseal_scan::vex::{Claim, Document, Origin, read};
use serde::Serialize;

use crate::{
    cli::Global,
    commands::image::place::{Connection, image},
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        packages::grid,
        paint::{Paint, clean, count, cut},
    },
};

/// Products named in one row of the table; all of them stand in JSON.
const SHOWN: usize = 3;

/// What to show.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal vex show shop.openvex.json
  boltseal vex show registry.example.com/shop/cart:7")]
pub struct Args {
    /// A document, or an image in a registry
    #[arg(value_name = "FILE|REF")]
    place: String,
    #[command(flatten)]
    written: Written,
}

/// One document.
#[derive(Serialize)]
struct Shown {
    source: String,
    format: &'static str,
    id: String,
    author: String,
    version: u64,
    changed: Option<boltseal_model::Timestamp>,
    statements: Vec<Row>,
    unsound: Vec<String>,
}

/// One statement.
#[derive(Serialize)]
struct Row {
    vulnerabilities: Vec<String>,
    status: &'static str,
    products: Vec<String>,
    said: Option<boltseal_model::Timestamp>,
    justification: Option<String>,
    reason: Option<String>,
}

/// Shows them.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let path = Path::new(&args.place);
    let documents = if path.is_file() {
        vec![vex::document(path)?]
    } else {
        attached(&args.place, connection, global, console)?
    };
    let shown: Vec<Shown> = documents.into_iter().map(shown).collect();
    args.written.show(&shown, console, |shown, paint| people(shown, paint))?;
    Ok(Exit::Pass)
}

fn attached(
    place: &str,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Vec<Document>, Failure> {
    let reference = image(place)?;
    let repository = connection.repository(&reference, global)?;
    let subject = repository.head(Name::of(&reference))?.digest;
    let mut documents = Vec::new();
    for referrer in vex::found(&repository, &subject)? {
        let name = format!("referrer {}", referrer.digest);
        let bytes = vex::content(&repository, &referrer).map_err(|why| format!("{name}: {why}"));
        let document =
            bytes.and_then(|bytes| read(&bytes, &name, Origin::Attached).map_err(|why| why.to_string()));
        match document {
            Ok(document) => documents.push(document),
            Err(why) => console.warning(format_args!("{}", clean(&why))),
        }
    }
    Ok(documents)
}

fn shown(document: Document) -> Shown {
    Shown {
        source: document.source,
        format: document.kind.word(),
        id: document.id,
        author: document.author,
        version: document.version,
        changed: document.changed,
        statements: document.claims.into_iter().map(row).collect(),
        unsound: document.unsound,
    }
}

fn row(claim: Claim) -> Row {
    let mut products = Vec::new();
    for product in &claim.products {
        let whole = product.whole.as_ref().map(|whole| whole.label.as_str());
        products.extend(whole.filter(|_| product.parts.is_empty()).map(str::to_owned));
        products.extend(product.parts.iter().map(|part| match whole {
            Some(whole) => format!("{} in {whole}", part.label),
            None => part.label.clone(),
        }));
    }
    Row {
        vulnerabilities: claim.vulnerabilities,
        status: claim.statement.status.word(),
        products,
        said: claim.statement.said,
        justification: claim.statement.justification,
        reason: claim.statement.reason,
    }
}

fn people(documents: &[Shown], paint: Paint) -> String {
    let mut out = String::new();
    for document in documents {
        let _ = writeln!(out, "{}", paint.bold(&clean(&document.source)));
        let changed = document.changed.map(|time| format!(" · {}", time.strftime("%Y-%m-%d %H:%M UTC")));
        let facts = format!(
            "{} of {}{} · {}",
            document.format,
            cut(&document.author, 80),
            changed.unwrap_or_default(),
            count(document.statements.len(), "statement")
        );
        let _ = writeln!(out, "{}", paint.dim(&facts));
        let rows = document.statements.iter().map(|row| {
            let mut products: Vec<&str> = row.products.iter().take(SHOWN).map(String::as_str).collect();
            let more = format!("and {} more", row.products.len().saturating_sub(SHOWN));
            if row.products.len() > SHOWN {
                products.push(&more);
            }
            let why = [row.justification.as_deref(), row.reason.as_deref()].into_iter().flatten();
            [
                row.vulnerabilities.first().cloned().unwrap_or_default(),
                row.status.to_owned(),
                products.join(", "),
                row.said.map(|said| said.strftime("%Y-%m-%d").to_string()).unwrap_or_default(),
                cut(&why.collect::<Vec<_>>().join(": "), 200),
            ]
        });
        out.push_str(&grid(&["vulnerability", "status", "product", "said", "why"], rows, paint));
        for why in &document.unsound {
            let _ = writeln!(out, "counts for nothing: {}", cut(why, 200));
        }
        out.push('\n');
    }
    if documents.is_empty() {
        out.push_str("none\n");
    }
    out
}
