//! Files that are not policies, each with the message a person gets, in `data/refused`.

use boltseal_policy::Policy;

use crate::{data, files};

/// The first line of each file is `# ` and the first line of the message.
fn check(name: &str, yaml: &str) {
    let wanted = yaml.lines().next().unwrap().trim_start_matches("# ");
    let found = match Policy::parse(yaml) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string().lines().next().unwrap().to_owned(),
    };
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        let rest = yaml.split_once('\n').map_or("", |(_, rest)| rest);
        std::fs::write(data("refused").join(name).with_extension("yaml"), format!("# {found}\n{rest}"))
            .unwrap();
        return;
    }
    assert_eq!(found, wanted, "{name}");
}

#[test]
fn messages_name_the_line_and_the_way_out() {
    for (name, yaml) in files("refused") {
        check(&name, &yaml);
    }
}

#[test]
fn too_large_a_file_is_refused_before_it_is_read() {
    let message = Policy::parse(&" ".repeat(2 << 20)).unwrap_err().to_string();
    assert!(message.contains("2097152 bytes"), "{message}");
}

#[test]
fn alias_bombs_are_refused() {
    let mut yaml = String::from("version: 1\nname: bomb\na0: &a0 [x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        let list = vec![previous; 10].join(", ");
        yaml = format!("{yaml}a{level}: &a{level} [{list}]\n");
    }
    assert!(Policy::parse(&yaml).is_err());
    let rule = "  - &r { name: x, effect: deny, vulnerabilities: {} }\n";
    let many = format!("version: 1\nname: m\nrules:\n{rule}{}", "  - *r\n".repeat(100_000));
    assert!(Policy::parse(&many).is_err());
    let deep = format!("version: 1\nname: d\nrules: {}", "[".repeat(200_000));
    assert!(Policy::parse(&deep).is_err());
}
