//! What was seen in the sample images besides packages.

use boltseal_model::{
    Confidence, Digest, Fingerprint, Leak, Malware, Misconfiguration, Place, Severity, Unowned,
};

use super::Described;

/// Fills in what a look at the image finds.
pub struct Seen {
    pub leaks: Vec<Leak>,
    pub misconfigurations: Vec<Misconfiguration>,
    pub unowned: Vec<Unowned>,
    pub malware: Vec<Malware>,
}

/// The fingerprint of a credential of the sample.
pub fn fingerprint(name: &str) -> Fingerprint {
    let mut bytes = [0; Fingerprint::BYTES];
    bytes.copy_from_slice(&Digest::of(name.as_bytes()).bytes()[..Fingerprint::BYTES]);
    Fingerprint::new(bytes)
}

fn file(path: &str, line: usize) -> Place {
    Place::File { path: path.to_owned(), line }
}

fn leak(
    name: &str,
    rule: &str,
    title: &str,
    confidence: Confidence,
    place: Place,
    layer: Option<Digest>,
) -> Leak {
    Leak {
        place,
        rule: rule.to_owned(),
        title: title.to_owned(),
        confidence,
        layer,
        hidden: false,
        package: None,
        number: Some(1),
        fingerprint: Some(fingerprint(name)),
    }
}

fn token(place: Place, layer: Option<Digest>) -> Leak {
    let (rule, title) = ("github-personal-access-token", "GitHub personal access token");
    leak("the token of the shop", rule, title, Confidence::Verified, place, layer)
}

fn password(place: Place, layer: Option<Digest>) -> Leak {
    leak("hunter2", "password", "Password", Confidence::Medium, place, layer)
}

pub fn of(described: &Described) -> Seen {
    let mut seen =
        Seen { leaks: Vec::new(), misconfigurations: Vec::new(), unowned: Vec::new(), malware: Vec::new() };
    match described.repository.as_str() {
        "shop/checkout" => checkout(described, &mut seen),
        "shop/storefront" => seen.leaks = vec![token(file("app/.git/config", 9), layer(described, 2))],
        "legacy/mailer" => mailer(described, &mut seen),
        _ => {}
    }
    seen
}

fn layer(described: &Described, index: usize) -> Option<Digest> {
    described.layers()[index].digest.clone()
}

fn checkout(described: &Described, seen: &mut Seen) {
    let deleted = Leak { hidden: true, ..token(file("root/.netrc", 3), layer(described, 1)) };
    let variable = Place::Variable { name: "NPM_TOKEN".to_owned() };
    let own = password(file("app/config/production.yaml", 41), layer(described, 2));
    let example = file("app/node_modules/http-signature/test/rsa_private.pem", 1);
    let example =
        leak("a test", "private-key", "Private key", Confidence::High, example, layer(described, 2));
    seen.leaks = vec![
        deleted,
        token(variable, None),
        Leak { number: Some(2), ..own },
        Leak { number: Some(3), package: Some("http-signature".to_owned()), ..example },
    ];
    seen.misconfigurations = vec![misconfiguration(
        "root-user",
        Severity::Medium,
        "Runs as root",
        "config.User is empty",
        "add `USER app` to the Dockerfile, after what needs root",
        None,
    )];
}

fn mailer(described: &Described, seen: &mut Seen) {
    seen.leaks = vec![password(Place::History { step: 4 }, None)];
    seen.misconfigurations = vec![
        misconfiguration(
            "setuid-files",
            Severity::Medium,
            "Setuid files of no package",
            "usr/local/bin/relay, usr/local/bin/flush",
            "drop the bit: `chmod u-s FILE`",
            layer(described, 1),
        ),
        misconfiguration(
            "no-healthcheck",
            Severity::Low,
            "No health check",
            "config.Healthcheck is absent",
            "add `HEALTHCHECK` to the Dockerfile, or have the orchestrator probe it",
            None,
        ),
    ];
    let path = |number: usize| format!("usr/local/lib/relay/plugin-{number:02}.so");
    let program = |number| Unowned {
        digest: Digest::of(path(number).as_bytes()),
        path: path(number),
        layer: layer(described, 2),
    };
    seen.unowned = (0..31).map(program).collect();
    seen.malware = vec![Malware {
        path: "var/spool/mail/eicar.com".to_owned(),
        name: "EICAR test file".to_owned(),
        digest: Digest::of(b"eicar"),
        layer: layer(described, 2),
        hidden: false,
    }];
}

fn misconfiguration(
    check: &str,
    severity: Severity,
    title: &str,
    found: &str,
    fix: &str,
    layer: Option<Digest>,
) -> Misconfiguration {
    Misconfiguration {
        check: check.to_owned(),
        severity,
        title: title.to_owned(),
        found: found.to_owned(),
        fix: fix.to_owned(),
        layer,
    }
}
