//! Keys in tokens and security modules, by PKCS#11 (OASIS, version 2.40 and 3): the library that speaks with the token is loaded when
//! a key is asked for, and never otherwise. The key stays in the token; so does the counting of wrong PINs.

use std::{
    env,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use boltseal_trust::{PrivateKey, RemoteKey, RemotePublic, TokenUri, Wanted};
use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error, RvError},
    mechanism::{
        Mechanism, MechanismType,
        eddsa::{EddsaParams, EddsaSignatureScheme},
        rsa::{PkcsMgfType, PkcsPssParams},
    },
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::{Slot, TokenInfo},
    types::AuthPin,
};

use super::key::password;
use crate::{exit::Failure, output::paint::clean};

/// Where cosign looks for the module.
const MODULE: &str = "COSIGN_PKCS11_MODULE_PATH";
/// Tokens or keys that a message names.
const SHOWN: usize = 10;

/// A key that stays in its token.
struct Held {
    session: Mutex<Session>,
    key: ObjectHandle,
}

/// The key that `text` names. Its PIN comes from `password_file`, from `pin-source`, from the environment or from the terminal.
pub fn open(text: &str, password_file: Option<&Path>) -> Result<PrivateKey, Failure> {
    let uri = TokenUri::parse(text).map_err(|why| {
        Failure::usage(why)
            .next("write pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=FILE (RFC 7512)")
    })?;
    let module = module(&uri)?;
    let shown = module.display().to_string();
    let failed = |why: Error| Failure::usage(format_args!("{shown}: {}", told(&why)));
    let context = Pkcs11::new(&module).map_err(failed)?;
    context.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(failed)?;
    let (slot, label) = slot(&context, &uri).map_err(failed)??;
    let session = context.open_ro_session(slot).map_err(failed)?;
    let pin = password(password_file.or(uri.pin.as_deref()), &format!("PIN of the token {}", clean(&label)))?;
    let pin = AuthPin::new(pin.as_str().into());
    session.login(UserType::User, Some(&pin)).map_err(failed)?;
    let key = private(&session, &uri).map_err(failed)??;
    let public = public(&session, key).map_err(failed)??;
    let held = Held { session: Mutex::new(session), key };
    PrivateKey::remote(&public, Box::new(held)).map_err(Failure::usage)
}

/// The module, from the URI or from where cosign has it.
fn module(uri: &TokenUri) -> Result<PathBuf, Failure> {
    let found = uri.module.clone().or_else(|| env::var_os(MODULE).map(PathBuf::from)).ok_or_else(|| {
        Failure::usage("nobody says which module speaks with the token").next(format!(
            "add ?module-path=FILE to the URI, or set {MODULE}: such as /usr/lib/softhsm/libsofthsm2.so"
        ))
    })?;
    // A bare name would be looked for wherever the environment says.
    if found.is_absolute() {
        return Ok(found);
    }
    Err(Failure::usage(format_args!("{}: name the module by its whole path", found.display())))
}

/// The only token that fits, with its label.
fn slot(context: &Pkcs11, uri: &TokenUri) -> Result<Result<(Slot, String), Failure>, Error> {
    let mut all = Vec::new();
    for slot in context.get_slots_with_initialized_token()? {
        all.push((slot, context.get_token_info(slot)?));
    }
    let fits = |(slot, info): &&(Slot, TokenInfo)| {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found.trim_end())
        };
        is(&uri.token, info.label())
            && is(&uri.manufacturer, info.manufacturer_id())
            && is(&uri.model, info.model())
            && is(&uri.serial, info.serial_number())
            && uri.slot.is_none_or(|wanted| wanted == slot.id())
    };
    let fitting: Vec<&(Slot, TokenInfo)> = all.iter().filter(fits).collect();
    Ok(match fitting.as_slice() {
        [(slot, info)] => Ok((*slot, info.label().trim_end().to_owned())),
        [] => Err(Failure::usage("no token is as the URI says").next(format!("tokens: {}", names(&all)))),
        several => {
            let several: Vec<(Slot, TokenInfo)> = several.iter().map(|one| (*one).clone()).collect();
            Err(Failure::usage("several tokens are as the URI says")
                .next(format!("add serial=… to the URI: {}", names(&several))))
        }
    })
}

fn names(tokens: &[(Slot, TokenInfo)]) -> String {
    let name = |(_, info): &(Slot, TokenInfo)| {
        format!(
            "token={} (serial {})",
            clean(info.label().trim_end()),
            clean(info.serial_number().trim_end())
        )
    };
    let all: Vec<String> = tokens.iter().take(SHOWN).map(name).collect();
    if all.is_empty() { "there is none".to_owned() } else { all.join(", ") }
}

/// The only private key that fits.
fn private(session: &Session, uri: &TokenUri) -> Result<Result<ObjectHandle, Failure>, Error> {
    let mut wanted = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
    wanted.extend(uri.object.iter().map(|label| Attribute::Label(label.clone().into_bytes())));
    wanted.extend(uri.id.iter().map(|id| Attribute::Id(id.clone())));
    let found = session.find_objects(&wanted)?;
    Ok(match found.as_slice() {
        [key] => Ok(*key),
        [] => {
            let labels = labels(session)?;
            Err(Failure::usage("the token has no such private key").next(format!("keys: {labels}")))
        }
        _ => Err(Failure::usage(format_args!("{} private keys are as the URI says", found.len()))
            .next("add id=… to the URI")),
    })
}

fn labels(session: &Session) -> Result<String, Error> {
    let mut labels = Vec::new();
    for key in session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)])?.into_iter().take(SHOWN) {
        for attribute in session.get_attributes(key, &[AttributeType::Label])? {
            if let Attribute::Label(label) = attribute {
                labels.push(format!("object={}", clean(&String::from_utf8_lossy(&label))));
            }
        }
    }
    Ok(if labels.is_empty() { "there is none".to_owned() } else { labels.join(", ") })
}

/// The public half, which lies beside the key under the same id.
fn public(session: &Session, key: ObjectHandle) -> Result<Result<RemotePublic, Failure>, Error> {
    let mut kind = None;
    let mut same = vec![Attribute::Class(ObjectClass::PUBLIC_KEY)];
    for attribute in session.get_attributes(key, &[AttributeType::KeyType, AttributeType::Id])? {
        match attribute {
            Attribute::KeyType(found) => kind = Some(found),
            Attribute::Id(id) => same.push(Attribute::Id(id)),
            _ => {}
        }
    }
    let wanted = match kind {
        Some(KeyType::EC | KeyType::EC_EDWARDS) => [AttributeType::EcParams, AttributeType::EcPoint],
        Some(KeyType::RSA) => [AttributeType::Modulus, AttributeType::PublicExponent],
        _ => {
            return Ok(Err(Failure::usage("the key signs nothing here")
                .next("take ECDSA P-256, P-384 or P-521, Ed25519, or RSA of 2048 bits or more")));
        }
    };
    let Some(beside) = session.find_objects(&same)?.first().copied() else {
        return Ok(Err(Failure::usage("the token has no public key under the id of the private one")
            .next("store it there, too: a signature says whose it is")));
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for attribute in session.get_attributes(beside, &wanted)? {
        match attribute {
            Attribute::EcParams(bytes) | Attribute::Modulus(bytes) => first = bytes,
            Attribute::EcPoint(bytes) | Attribute::PublicExponent(bytes) => second = bytes,
            _ => {}
        }
    }
    Ok(Ok(match kind {
        Some(KeyType::EC) => RemotePublic::Ec { params: first, point: second },
        Some(KeyType::EC_EDWARDS) => RemotePublic::Edwards { params: first, point: second },
        _ => RemotePublic::Rsa { modulus: first, exponent: second },
    }))
}

impl RemoteKey for Held {
    fn sign(&self, wanted: Wanted<'_>) -> Result<Vec<u8>, String> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let (mechanism, data) = match wanted {
            Wanted::Ecdsa(hash) => (Mechanism::Ecdsa, hash),
            Wanted::Ed25519(message) => {
                (Mechanism::Eddsa(EddsaParams::new(EddsaSignatureScheme::Pure)), message)
            }
            Wanted::RsaPkcs1(message) => (Mechanism::Sha256RsaPkcs, message),
            Wanted::RsaPss(hash) => (Mechanism::RsaPkcsPss(pss(hash.len())?), hash),
        };
        session.sign(&mechanism, self.key, data).map_err(|why| told(&why))
    }
}

fn pss(length: usize) -> Result<PkcsPssParams, String> {
    let (hash_alg, mgf) = match length {
        32 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256),
        48 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384),
        _ => (MechanismType::SHA512, PkcsMgfType::MGF1_SHA512),
    };
    let s_len = u64::try_from(length).map_err(|_| "a hash of that length".to_owned())?;
    Ok(PkcsPssParams { hash_alg, mgf, s_len: s_len.into() })
}

/// What went wrong, for people.
fn told(why: &Error) -> String {
    match why {
        Error::LibraryLoading(why) => format!("it cannot be loaded: {why}"),
        Error::Pkcs11(RvError::PinIncorrect, _) => {
            "the PIN is wrong, and the token counts how often it was".to_owned()
        }
        Error::Pkcs11(RvError::PinLocked, _) => "the token is locked: the PIN was wrong too often".to_owned(),
        Error::Pkcs11(RvError::PinLenRange, _) => "the PIN is wrong: it has another length".to_owned(),
        other => other.to_string(),
    }
}
