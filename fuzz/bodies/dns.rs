//! Any bytes as a question for a name: no panic, an answer that fits, and nothing of a group that is not to be reached.

use std::{collections::BTreeMap, net::Ipv4Addr};

use boltseal_agent::network::{
    Group, Range, Slot,
    dns::{Code, Decision, Names, Question, Record},
};
use boltseal_runtime::network::{self, Egress, Line, Protocol, To};

/// Asks `bytes`.
pub fn body(bytes: &[u8]) {
    let Ok(question) = Question::read(bytes) else { return };
    assert!(question.name.is_ascii() && question.name.len() < 255);
    let decision = names().decide(Ipv4Addr::new(10, 213, 0, 2), &question);
    let Decision::Answer(code, records) = decision else { unreachable!("nothing is forwarded for it") };
    for record in &records {
        let known = match record {
            Record::Address(address) => address.is_loopback() || [2, 3].contains(&address.octets()[3]),
            Record::Name(name) => ["a", "web", "b", "localhost"].contains(&name.as_str()),
        };
        assert!(known && code == Code::Fine, "{} has {record:?}", question.name);
    }
    let answer = question.answer(bytes, code, &records);
    assert!(answer.len() <= 600 && Question::read(&answer).is_err(), "an answer is no question");
}

/// `a` may reach `b`, and not `c`.
fn names() -> Names {
    let group = |place, name: &str, egress| {
        let network = network::Network { egress, ..Default::default() };
        let (name, containers) = (name.to_owned(), vec!["web".to_owned()]);
        (name.clone(), Group { slot: Slot::new(place), name, containers, network })
    };
    let line = Line::default();
    let egress = Egress { protocol: Protocol::Tcp, to: To::Group("b".to_owned()), ports: (80, 80), line };
    let groups = [group(0, "a", vec![egress]), group(1, "b", Vec::new()), group(2, "c", Vec::new())];
    Names::of(Range::default(), &BTreeMap::from(groups))
}
