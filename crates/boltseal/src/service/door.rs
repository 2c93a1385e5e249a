//! The dashboard asks the registry's identities who somebody is: one list of principals, not two.

use boltseal_model::Timestamp;
use boltseal_registry::Identity;
use boltseal_server::{Answer, Authority, Principal};

/// The principals of the registry, for the dashboard.
#[derive(Debug)]
pub struct Door(pub Identity);

fn principal(name: impl AsRef<str>) -> Principal {
    Principal { name: name.as_ref().to_owned() }
}

impl Authority for Door {
    fn secret<'a>(&'a self, name: &'a str, secret: &'a str) -> Answer<'a> {
        Box::pin(async move { self.0.secret(name, secret).map(principal) })
    }

    fn token<'a>(&'a self, token: &'a str) -> Answer<'a> {
        Box::pin(async move { self.0.token(token, Timestamp::now()).map(principal) })
    }

    fn first(&self) -> Principal {
        principal(self.0.bootstrap())
    }
}
