//! `docs/reference/cli.md` is what `--help` says, command by command. Where it is not, this test fails; run it with
//! `BOLTSEAL_BLESS=1` to write the page anew, and look at the difference.

use std::{fmt::Write as _, fs, path::Path};

use crate::binary::User;

#[test]
fn the_reference_of_commands_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    let page = page();
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == page,
        "docs/reference/cli.md is not current: run the tests with BOLTSEAL_BLESS=1, look at it"
    );
}

fn page() -> String {
    let mut page =
        "# Commands\n\nWhat `boltseal COMMAND --help` says. Written by the tests; do not edit.\n".to_owned();
    let user = User::new();
    let mut waiting = vec![Vec::new()];
    while let Some(command) = waiting.pop() {
        let mut args = command.clone();
        args.push("--help".to_owned());
        let help = user.run(&args).ended(0).out;
        let name = std::iter::once("boltseal")
            .chain(command.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n"));
        let mut below: Vec<Vec<String>> = subcommands(&help)
            .into_iter()
            .map(|name| command.iter().cloned().chain([name]).collect())
            .collect();
        below.reverse();
        waiting.extend(below);
    }
    page
}

/// The first words of the lines below `Commands:`, without `help`.
fn subcommands(help: &str) -> Vec<String> {
    let listed =
        help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let indented = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    indented
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}
