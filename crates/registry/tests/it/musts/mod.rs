//! What the distribution specification demands in half a sentence, and what registries therefore get wrong. One test
//! each; its name begins with the number of the demand.
//!
//! | | section of the specification | demand |
//! |---|---|---|
//! | 1 | Pulling, Checking | the digest with every answer; the length with HEAD |
//! | 2 | Pushing Manifests | exact bytes; 4 MB; the stored type without parameters |
//! | 3 | Pushing Manifests with Subject | `OCI-Subject`, also for absent subjects and for indexes |
//! | 4 | Listing Referrers | never 404; types fall back; annotations; filters; pages |
//! | 5 | Enabling the Referrers API | what older clients tagged `sha256-<hex>` is listed too |
//! | 6 | Pushing a blob in chunks | in order or 416; `Range`; what Docker does instead |
//! | 7 | Mounting | impossible is 202, and tells nothing about what one may not pull |
//! | 8 | Listing Tags | order; `n=0`; `last` alone |
//! | 9 | Content Management | 202; a digest takes its tags along; at once |
//! | 10 | Error Codes, Warnings | the fourteen codes; `299 - "…"`; 4096 bytes |
//! | 12 | Endpoints 4c and 7b, names | `OCI-Tag`; `digest-algorithm`; slashes in names; `%3A` |

mod pulling;
mod pushing;
mod referring;
mod uploading;

use axum::body::Body;
use boltseal_model::{Algorithm, Digest, Hasher};

use crate::world::{Reply, World};

/// What must come back: a status, and for each text either the error code or `header: value`; an empty value stands
/// for a header that must not be there.
type Wanted<'a> = (u16, &'a [&'a str]);

/// A request without a body, by the admin.
async fn check(world: &World, method: &str, path: &str, wanted: Wanted<'_>) -> Reply {
    send(world, method, path, &[], Body::empty(), wanted).await
}

/// A request with headers and a body, by the admin.
#[track_caller]
fn send<'a>(
    world: &'a World,
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: impl Into<Body> + 'a,
    wanted: Wanted<'a>,
) -> impl Future<Output = Reply> + 'a {
    let line = std::panic::Location::caller().line();
    async move {
        let reply = world.call(method, path, headers, body).await;
        hold(&format!("line {line}: {method} {path} {headers:?}"), &reply, wanted);
        reply
    }
}

fn hold(what: &str, reply: &Reply, (status, wanted): Wanted<'_>) {
    assert_eq!(reply.status.as_u16(), status, "{what}: {}", reply.text());
    for wanted in wanted {
        match wanted.split_once(':') {
            Some((name, value)) => assert_eq!(reply.header(name), value.trim(), "{what}: {name}"),
            None => assert_eq!(reply.code(), *wanted, "{what}"),
        }
    }
}

fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}
