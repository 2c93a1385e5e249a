//! What the group opens of its network.

use boltseal_orchestrator::{
    Place,
    document::Item,
    workload::{self, Exposure},
};

use super::make::Notes;
use crate::network::{self, Egress, Line, MAX_OPENINGS, Network, Opened, Port, Protocol};

pub(super) fn network(workload: &workload::Workload, notes: &mut Notes) -> Network {
    let wanted = &workload.network;
    let public = notes.known(&wanted.exposure) == Some(&Exposure::Public);
    let mut network = Network::default();
    for port in wanted.ports.iter().take(MAX_OPENINGS) {
        let Some(planned) = planned(port, public, notes) else { continue };
        let same = |other: &Port| (other.protocol, other.number) == (planned.protocol, planned.number);
        if network.ports.iter().any(same) {
            notes.refuse(
                &port.place,
                format!("port {}/{} is there twice", planned.number, planned.protocol.name()),
            );
        }
        network.ports.push(planned);
    }
    for item in &wanted.egress {
        egress(item, &mut network, notes);
    }
    let managed = &workload.identity.managed;
    network.identity =
        notes.known(managed).filter(|kind| !kind.eq_ignore_ascii_case("none")).map(|_| line(managed.place()));
    if wanted.ports.len() > MAX_OPENINGS || network.egress.len() > MAX_OPENINGS {
        notes.refuse(&workload.place(), format!("it opens more than {MAX_OPENINGS} ports"));
    }
    network
}

fn planned(port: &workload::Port, public: bool, notes: &mut Notes) -> Option<Port> {
    let number = *notes.known(&port.container)?;
    let Some(number) = u16::try_from(number).ok().filter(|number| *number > 0) else {
        notes.refuse(port.container.place(), format!("{number} is no port"));
        return None;
    };
    // Azure takes TCP where nothing is said.
    let protocol = notes.known(&port.name).map_or("TCP", String::as_str);
    let Some(protocol) = Protocol::of(protocol) else {
        notes.refuse(port.name.place(), format!("`{protocol}` is neither TCP nor UDP"));
        return None;
    };
    Some(Port { protocol, number, published: public.then_some(number), line: line(&port.place) })
}

fn egress(item: &Item, network: &mut Network, notes: &mut Notes) {
    let Some(text) = notes.known(&item.value) else { return };
    for word in text.split([',', ' ', '\t', '\n']).filter(|word| !word.is_empty()) {
        if network.egress.len() > MAX_OPENINGS {
            return;
        }
        match network::opened(word) {
            Ok(Opened::Dns) => network.dns = Some(line(&item.place)),
            Ok(Opened::Egress(protocol, to, ports)) => {
                network.egress.push(Egress { protocol, to, ports, line: line(&item.place) });
            }
            Err(why) => notes.refuse(&item.place, why),
        }
    }
}

fn line(place: &Place) -> Line {
    Line { path: place.path.clone(), line: place.line }
}
