//! Records that tests share: a table of plain ones, and any at all.

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Door, Kind, Outcome, Severity, Source, Subject, Via, Why},
};
use boltseal_model::{Digest, Timestamp};
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::Value;

const NOW: &str = "2026-03-01T12:00:00.250Z";

fn start(number: u8, activity: Activity, action: &str) -> Record {
    let id = format!("0195512a-0000-7000-8000-0000000000{number:02}").parse().unwrap();
    Record::new(NOW.parse().unwrap(), activity, action).id(id)
}

/// What a server writes in its daily life, and what strangers would like to write.
pub fn samples() -> Vec<(&'static str, Record)> {
    let mut samples = registry();
    samples.extend(people());
    samples.push(("hostile", hostile()));
    samples
}

fn alice() -> Actor {
    Actor::user("8f0c2a", "alice").via(Via::Token).session("k3v9")
}

fn registry() -> Vec<(&'static str, Record)> {
    let repository = "/registries/main/repositories/team/a";
    let content = "Microsoft.ContainerRegistry/registries/repositories/content";
    vec![
        (
            "pull",
            start(1, Activity::Read, &format!("{content}/read"))
                .actor(Actor::new(Kind::ServicePrincipal, "1f6e", "ci").via(Via::Basic))
                .source(Source::https([192, 0, 2, 7], 51_820).agent("skopeo/1.18"))
                .subject(Subject::new(repository).name("latest").digest(Digest::of(b"manifest")))
                .outcome(Outcome::Success)
                .why(Why::granted("0c4d", "AcrPull", "/registries/main")),
        ),
        (
            "push refused",
            start(2, Activity::Create, &format!("{content}/write"))
                .actor(alice())
                .source(
                    Source::https("2001:db8::7".parse::<std::net::Ipv6Addr>().unwrap(), 443)
                        .agent("docker/28"),
                )
                .subject(Subject::new(repository).name("v2"))
                .outcome(Outcome::Denied)
                .status("AcrPull does not allow to push")
                .why(Why::missing(format!("{content}/write at {repository}")))
                .severity(Severity::Low),
        ),
        (
            "tag moved",
            start(3, Activity::Update, &format!("{content}/write"))
                .actor(alice())
                .subject(Subject::new(repository).name("latest").digest(Digest::of(b"after")))
                .outcome(Outcome::Success)
                .why(Why::granted("77aa", "AcrPush", repository))
                .detail("before", Digest::of(b"before").to_string())
                .detail("after", Digest::of(b"after").to_string()),
        ),
    ]
}

fn people() -> Vec<(&'static str, Record)> {
    vec![
        (
            "sign-in failed",
            start(4, Activity::SignIn, "Boltseal/sign-in")
                .actor(Actor::new(Kind::Anonymous, "", "alice").via(Via::Password))
                .source(Source::https([198, 51, 100, 9], 40_000).agent("Mozilla/5.0 (X11; Linux x86_64)"))
                .outcome(Outcome::Denied)
                .status("wrong password")
                .severity(Severity::Medium),
        ),
        (
            "token",
            start(5, Activity::Issue, "Boltseal/tokens/issue")
                .actor(Actor::new(Kind::Workload, "gh-1", "repo:acme/shop").via(Via::Federated))
                .subject(Subject::new("/registries/main"))
                .outcome(Outcome::Success)
                .why(Why::rule("federation `github` maps this subject")),
        ),
        (
            "role given",
            start(6, Activity::Grant, "Microsoft.Authorization/roleAssignments/write")
                .actor(alice())
                .subject(Subject::new("/registries/main").name("bob"))
                .outcome(Outcome::Success)
                .why(Why::granted("11", "Owner", "/"))
                .detail("role", "AcrPush")
                .severity(Severity::Medium),
        ),
        (
            "user removed",
            start(7, Activity::RemoveUser, "Boltseal/users/delete")
                .actor(alice())
                .subject(Subject::new("/users/bob").name("bob"))
                .outcome(Outcome::Success)
                .why(Why::granted("11", "Owner", "/")),
        ),
        (
            "start",
            start(8, Activity::Start, "Boltseal/serve")
                .actor(Actor::system().via(Via::Machine))
                .outcome(Outcome::Success)
                .detail("version", "0.1.0"),
        ),
        (
            "break-glass",
            start(9, Activity::SignIn, "Boltseal/break-glass/open")
                .actor(Actor::new(Kind::BreakGlass, "bg", "break-glass").via(Via::Shares))
                .source(Source::plain([127, 0, 0, 1], 9))
                .outcome(Outcome::Success)
                .status("3 of 5 shares; reason: the identity provider is down")
                .severity(Severity::Critical)
                .alert(),
        ),
        (
            "secret",
            start(10, Activity::Read, "Microsoft.KeyVault/vaults/secrets/getSecret/action")
                .actor(alice())
                .subject(Subject::new("/vaults/prod/secrets/db").name("db"))
                .outcome(Outcome::Failure)
                .status("the vault is sealed")
                .why(Why::granted("22", "Key Vault Secrets User", "/vaults/prod")),
        ),
    ]
}

/// Every separator, escape and line break of every format, in every text.
fn hostile() -> Record {
    let nasty = "a|b=c\\d\"e]f\nx=1\r\n<13>1 - CEF:0|\u{1b}[2J\u{0}\u{85}\u{2028}\u{202e}é\u{10ffff} cs1=z";
    let text = |name: &str| format!("{name}:{nasty}");
    start(11, Activity::Other, &text("action"))
        .actor(Actor::new(Kind::Token, text("id"), text("name")).via(Via::Other).session(text("session")))
        .source(Source::new(Door::Kubernetes).agent(text("agent")).host(text("host")))
        .subject(Subject::new(text("scope")).name(text("subject")))
        .outcome(Outcome::Unknown)
        .status(text("status"))
        .why(Why::rule(text("why")))
        .original(text("original"))
        .detail(text("key"), text("value"))
        .severity(Severity::High)
}

fn text(longest: usize) -> impl Strategy<Value = String> {
    let special = select(
        "\n\r\t\u{0}\u{1b}\u{7f}\u{85}\u{2028}\u{feff}\u{202e}|=\\\"[]{},: \u{fb33}\u{1f600}é"
            .chars()
            .collect::<Vec<_>>(),
    );
    let any_char = prop_oneof![3 => special, 5 => proptest::char::range(' ', '~'), 1 => any::<char>()];
    vec(any_char, 0..longest).prop_map(|chars| chars.into_iter().collect())
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (-100_i64..100).prop_map(Value::from),
        text(20).prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 20, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((text(6), inner), 0..4).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn actor(longest: usize) -> impl Strategy<Value = Actor> {
    let kinds = (select(Kind::ALL.to_vec()), select(Via::ALL.to_vec()));
    (kinds, text(longest), text(longest), option::of(text(longest)))
        .prop_map(|((kind, via), id, name, session)| Actor { session, ..Actor::new(kind, id, name).via(via) })
}

fn source(longest: usize) -> impl Strategy<Value = Source> {
    let socket =
        (option::of(any::<std::net::IpAddr>()), option::of(any::<u16>()), select(Door::ALL.to_vec()));
    (socket, option::of(text(longest)), option::of(text(longest)))
        .prop_map(|((address, port, door), agent, host)| Source { address, port, agent, door, host })
}

fn subject(longest: usize) -> impl Strategy<Value = Subject> {
    let digest = option::of(any::<u8>().prop_map(|seed| Digest::of(&[seed])));
    (text(longest), option::of(text(longest)), digest).prop_map(|(scope, name, digest)| Subject {
        scope,
        name,
        digest,
    })
}

fn why(longest: usize) -> impl Strategy<Value = Why> {
    let words = || text(longest);
    prop_oneof![
        Just(Why::Unstated),
        (words(), words(), words()).prop_map(|(id, role, scope)| Why::granted(id, role, scope)),
        words().prop_map(Why::Rule),
        words().prop_map(Why::Missing),
    ]
}

/// Any record; texts have up to `longest` characters.
pub fn any_record(longest: usize) -> impl Strategy<Value = Record> {
    let head = (-1_000_000_000_000_i64..200_000_000_000_000, select(Activity::ALL.to_vec()), text(longest));
    let people = (actor(longest), source(longest), subject(longest), why(longest));
    let rest = (option::of(text(longest)), option::of(text(longest)), vec((text(8), value()), 0..5));
    let marks = (
        select(Outcome::ALL.to_vec()),
        select(Severity::ALL.to_vec()),
        any::<bool>(),
        option::of(any::<u128>().prop_map(uuid::Uuid::from_u128)),
    );
    (head, people, rest, marks).prop_map(|(head, people, rest, marks)| {
        let (millis, activity, action) = head;
        let (actor, source, subject, why) = people;
        let (status, original, detail) = rest;
        let (outcome, severity, alert, id) = marks;
        Record {
            id,
            actor,
            source,
            subject,
            outcome,
            status,
            why,
            detail: detail.into_iter().collect(),
            severity,
            alert,
            original,
            ..Record::new(Timestamp::from_millisecond(millis).unwrap(), activity, action)
        }
    })
}
