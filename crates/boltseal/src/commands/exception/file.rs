//! Exceptions of a policy file, approved by signatures in a file beside it.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::Path,
};

use boltseal_flow::{
    approvals::{Heard, Signed, approve as sign, file_of, hear, read},
    rules::Rules,
};
use boltseal_model::Timestamp;
use boltseal_policy::{ExceptionDoc, exceptions};
use serde::Serialize;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{Written, exceptions as output, paint::clean},
    signing,
};

/// One exception of a file, for programs.
#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    doc: ExceptionDoc,
    needed: usize,
    counts: bool,
}

/// Lists them; lines that approve nothing are told on stderr.
pub fn list(policy: &Path, written: Written, console: &Console) -> Result<(), Failure> {
    let rules = given::rules(policy)?;
    for Heard { line, exception, told } in heard(policy, &rules)? {
        if let Err(why) = told {
            console.warning(format_args!(
                "{} line {line}: approves nothing: {}: {}",
                file_of(policy).display(),
                clean(&exception),
                clean(&why)
            ));
        }
    }
    let needed = rules.policy.approvals();
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let row = |doc: ExceptionDoc| {
        let counts = doc.approved_by.len() >= needed && doc.expires.to_string() >= today;
        Row { doc, needed, counts }
    };
    let rows: Vec<Row> = exceptions(&rules.policy).into_iter().map(row).collect();
    written.show(&rows, console, |rows, paint| {
        let cells = rows.iter().map(|row| output::Cells {
            name: &row.doc.name,
            scope: &row.doc.scope,
            reason: &row.doc.reason,
            owner: &row.doc.owner,
            until: row.doc.expires.to_string(),
            approved_by: row.doc.approved_by.clone(),
            needed,
            ended: row.doc.expires.to_string() < today,
        });
        output::table(cells, paint)
    })
}

/// Signs that the holder of `key` approves the exception called `name`.
pub fn approve(
    name: &str,
    digest: Option<&str>,
    policy: &Path,
    key: &Path,
    password: Option<&Path>,
    console: &Console,
) -> Result<Exit, Failure> {
    let rules = given::rules(policy)?;
    let doc = named(&rules, name)?;
    if rules.policy.approvals() == 0 {
        return Err(Failure::usage("the policy asks for no approvals: every exception of it counts"));
    }
    if digest.is_some_and(|digest| digest != doc.digest.to_string()) {
        return Err(Failure::usage(format_args!(
            "`{name}` says something else: its digest is {}",
            doc.digest
        )));
    }
    let key = signing::open_key(key, password)?;
    let signed = sign(&rules.policy, &doc, &key).map_err(Failure::usage)?;
    let line = serde_json::to_string(&signed).map_err(Failure::fault)?;
    // Nothing is written that would not count.
    let told = hear(std::slice::from_ref(&line), &rules).pop().map(|heard| heard.told);
    let by = match told {
        Some(Ok(approval)) => approval.by,
        Some(Err(why)) => {
            return Err(Failure::usage(format_args!("this would approve nothing: {}", clean(&why)))
                .next("name the authority with this key in `approvers` of the policy"));
        }
        None => return Err(Failure::fault("the approval is empty")),
    };
    if doc.approved_by.iter().any(|known| known.eq_ignore_ascii_case(&by)) {
        return Err(Failure::usage(format_args!("{by} approved it already, and nobody counts twice")));
    }
    let file = file_of(policy);
    let wrong = |why: std::io::Error| Failure::fault(format_args!("cannot write {}: {why}", file.display()));
    let mut out = OpenOptions::new().create(true).append(true).open(&file).map_err(wrong)?;
    out.write_all(format!("{line}\n").as_bytes()).map_err(wrong)?;
    let had = doc.approved_by.len() + 1;
    console.data(&format!(
        "exception: {name}\ndigest: {}\napproved by: {by}\napprovals: {had} of {}\nfile: {}\n",
        doc.digest,
        rules.policy.approvals(),
        file.display()
    ))?;
    Ok(Exit::Pass)
}

/// Takes lines about the exception called `name` out of the file: of one approver, or all.
pub fn revoke(name: &str, of: Option<&str>, policy: &Path, console: &Console) -> Result<(), Failure> {
    let rules = given::rules(policy)?;
    let doc = named(&rules, name)?;
    let lines = read(policy).map_err(|wrong| unreadable(policy, &wrong))?;
    let goes = |line: &String| {
        let about = serde_json::from_str::<Signed>(line).is_ok_and(|signed| signed.digest == doc.digest);
        let whose = || hear(std::slice::from_ref(line), &rules).pop().and_then(|heard| heard.told.ok());
        about && of.is_none_or(|of| whose().is_some_and(|one| one.by.eq_ignore_ascii_case(of)))
    };
    let (gone, left): (Vec<String>, Vec<String>) = lines.into_iter().partition(goes);
    if gone.is_empty() {
        let whose = of.map(|of| format!(" by {of}")).unwrap_or_default();
        return Err(Failure::usage(format_args!("there is no approval of `{name}`{whose}")));
    }
    let mut text = left.join("\n");
    if !left.is_empty() {
        text.push('\n');
    }
    let file = file_of(policy);
    fs::write(&file, text)
        .map_err(|why| Failure::fault(format_args!("cannot write {}: {why}", file.display())))?;
    console.data(&format!("taken back: {}\n", gone.len()))
}

fn heard(policy: &Path, rules: &Rules) -> Result<Vec<Heard>, Failure> {
    Ok(hear(&read(policy).map_err(|wrong| unreadable(policy, &wrong))?, rules))
}

fn unreadable(policy: &Path, wrong: &std::io::Error) -> Failure {
    Failure::usage(format_args!("{}: {wrong}", file_of(policy).display()))
}

fn named(rules: &Rules, name: &str) -> Result<ExceptionDoc, Failure> {
    let all = exceptions(&rules.policy);
    let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
    all.into_iter().find(|one| one.name == name).ok_or_else(|| {
        let known = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
        Failure::usage(format_args!("the policy has no exception `{name}`"))
            .next(format!("exceptions: {known}"))
    })
}
