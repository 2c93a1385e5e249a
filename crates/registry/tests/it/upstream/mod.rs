//! Repositories that are a cache of another registry.

mod cached;
mod failing;
mod peers;
pub mod there;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::upstreams::{context, kinds};
use boltseal_identity::seal::Purpose;
use boltseal_store::Document;
use serde_json::{Value, json};

use crate::world::World;

/// An upstream behind `cache/`, with what `more` says of it.
pub async fn upstream(world: &World, host: &str, more: Value) {
    let mut body = json!({ "name": "cache", "prefix": "cache", "host": host, "ttl": 3600 });
    let fields = body.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    if let Some(password) = fields.remove("password") {
        let username = fields["username"].as_str().unwrap();
        let sealed = sealed(world, host, username, password.as_str().unwrap());
        fields.insert("sealed".to_owned(), sealed.into());
    }
    let document =
        Document { kind: kinds::UPSTREAM.to_owned(), id: "cache".to_owned(), body: Some(body.to_string()) };
    world.facts.change_settings(vec![document]).await.unwrap();
}

fn sealed(world: &World, host: &str, username: &str, password: &str) -> String {
    let keys = world.people.authority.keys();
    let sealed = keys.seal(Purpose::Setting, password.as_bytes(), &context(host, username));
    STANDARD.encode(sealed.unwrap())
}
