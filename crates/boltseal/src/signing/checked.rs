//! What was signed, held against our own verifier before it is stored: nothing is attached that would be refused.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{
    Authority, Certificate, Evidence, Form, Passport, Pattern, PrivateKey, Root, Signer, Statement, Who,
    holds,
    notary::{Document, StoreKind, Stores, Trust},
    verify,
};

use crate::{exit::Failure, given, output::paint::clean};

/// Bytes of a `trusted_root.json` with the history of all its keys: some tens of kilobytes.
const MAX_ROOT: usize = 1 << 20;
/// All that the chain of the signature itself vouches for. Whether it was revoked, only who verifies can look up.
const OWN: &str = r#"{"version":"1.0","trustPolicies":[{"name":"own","registryScopes":["*"],"signatureVerification":{"level":"strict","override":{"revocation":"skip"}},"trustStores":["ca:own"],"trustedIdentities":["*"]}]}"#;

/// The root in the file at `path`.
pub fn root(path: &Path) -> Result<Arc<Root>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {why}", path.display()));
    Root::parse(&given::bounded(path, MAX_ROOT)?).map(Arc::new).map_err(|why| wrong(&why))
}

/// Whether `bundle` says `statement` about `image` by `key`, for which `passport` may name somebody. With a root, authority,
/// log and clocks are held against it, as whoever verifies will; without one, nobody here can tell what they are worth.
pub fn bundle(
    bundle: &[u8],
    (statement, image): (&Statement, &Digest),
    key: &PrivateKey,
    passport: Option<&Passport>,
    root: Option<&Arc<Root>>,
) -> Result<(), Failure> {
    let found = match root {
        None => holds(bundle, image, key.public()),
        Some(root) => {
            let who = match passport.map(|passport| &passport.signer) {
                Some(Signer::Identity { subject, issuer }) => Who::Identity {
                    subject: Pattern::Exact(subject.clone()),
                    issuer: Pattern::Exact(issuer.clone()),
                    root: Arc::clone(root),
                },
                _ => Who::Key { key: key.public().clone(), root: Some(Arc::clone(root)), clocks: None },
            };
            let evidence = Evidence { form: Form::Bundle, bytes: bundle, annotations: &BTreeMap::new() };
            verify(&evidence, image, &[Authority::new("whoever signs", who)]).map(|signed| signed.statement)
        }
    };
    match found.map_err(|why| refused(&why))? {
        None if *statement == Statement::signature() => Ok(()),
        Some(found) if found == *statement => Ok(()),
        _ => Err(refused(&"it says something else than was meant")),
    }
}

/// Whether an envelope of Notary Project about an image is right by the chain of certificates that it came with.
pub fn envelope(
    bytes: &[u8],
    form: Form,
    image: &Digest,
    chain: &[Certificate],
    now: Timestamp,
) -> Result<(), Failure> {
    let mut stores = Stores::default();
    for one in chain.iter().filter(|one| one.is_self_signed() || one.is_authority()) {
        stores.add(StoreKind::Authority, "own", one.der()).map_err(|why| refused(&why))?;
    }
    let document = Document::parse(OWN).map_err(Failure::fault)?;
    let statement = document.of("any/image").ok_or_else(|| Failure::fault("the check has no policy"))?;
    let (statement, stores) = (statement.clone(), Arc::new(stores));
    let trust = Arc::new(Trust { statement, stores, revoked: Arc::default() });
    let evidence = Evidence { form, bytes, annotations: &BTreeMap::new() };
    let who = Who::Notary { trust, now };
    verify(&evidence, image, &[Authority::new("whoever signs", who)]).map(drop).map_err(|why| refused(&why))
}

fn refused(why: &dyn std::fmt::Display) -> Failure {
    let why = clean(&why.to_string());
    Failure::denied(format_args!("what was signed would be refused, so it is stored nowhere: {why}"))
}
