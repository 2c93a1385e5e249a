//! cosign's encrypted keys: JSON with what scrypt (RFC 7914) makes a key of, and a secretbox of `NaCl` around PKCS#8.

use aws_lc_rs::{constant_time, rand};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use poly1305::{Poly1305, universal_hash::KeyInit as _};
use salsa20::{
    XSalsa20,
    cipher::{KeyIvInit as _, StreamCipher as _},
};
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::KeyError;
use crate::pem;

/// What cosign writes, and all that other readers of this form take.
const N: u64 = 1 << 16;
const R: u32 = 8;
const P: u32 = 1;
/// Above the largest of known writers (2^17), which needs 128 MiB of memory: somebody wants ours.
const MAX_N: u64 = 1 << 18;
/// Below what anybody ever wrote (2^15): somebody made guessing cheap.
const MIN_N: u64 = 1 << 14;
const NONCE: usize = 24;
const SALT: usize = 32;
/// Of Poly1305, in front of the ciphertext.
const TAG: usize = 16;

/// A key under a password.
pub struct Sealed {
    log_n: u8,
    salt: Vec<u8>,
    nonce: Vec<u8>,
    boxed: Vec<u8>,
}

#[derive(Deserialize)]
struct Shape {
    kdf: Kdf,
    cipher: Cipher,
    ciphertext: String,
}

#[derive(Deserialize)]
struct Kdf {
    name: String,
    params: Params,
    salt: String,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "N")]
    n: u64,
    r: u32,
    p: u32,
}

#[derive(Deserialize)]
struct Cipher {
    name: String,
    nonce: String,
}

impl Sealed {
    pub fn parse(json: &[u8]) -> Result<Self, KeyError> {
        let malformed = |why: &str| KeyError::Malformed(why.to_owned());
        let shape: Shape =
            serde_json::from_slice(json).map_err(|error| KeyError::Malformed(error.to_string()))?;
        let Shape { kdf, cipher, ciphertext } = shape;
        if kdf.name != "scrypt" || cipher.name != "nacl/secretbox" {
            let what = format!("a key under `{}` and `{}`", kdf.name, cipher.name);
            return Err(KeyError::Unsupported(what));
        }
        let Params { n, r, p } = kdf.params;
        if !n.is_power_of_two() || !(MIN_N..=MAX_N).contains(&n) || r != R || p != P {
            return Err(malformed("nobody makes passwords into keys with these parameters of scrypt"));
        }
        let bytes = |text: &str| {
            STANDARD.decode(text).map_err(|error| KeyError::Malformed(format!("not base64: {error}")))
        };
        let (salt, nonce, boxed) = (bytes(&kdf.salt)?, bytes(&cipher.nonce)?, bytes(&ciphertext)?);
        if salt.len() < TAG || nonce.len() != NONCE || boxed.len() < TAG {
            return Err(malformed("salt, nonce or ciphertext are too short"));
        }
        Ok(Self { log_n: log2(n), salt, nonce, boxed })
    }

    /// What was sealed.
    pub fn open(&self, password: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let key = derived(password, &self.salt, self.log_n)?;
        let (mut cipher, mac) = keyed(key.as_ref(), &self.nonce)?;
        let (tag, text) = self.boxed.split_at_checked(TAG).ok_or(KeyError::Password)?;
        let wanted = mac.compute_unpadded(text);
        constant_time::verify_slices_are_equal(tag, &wanted).map_err(|_| KeyError::Password)?;
        let mut text = Zeroizing::new(text.to_vec());
        cipher.apply_keystream(&mut text);
        Ok(text)
    }
}

/// The text of a file that holds `der` under `password`.
pub fn seal(der: &[u8], password: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    let (mut salt, mut nonce) = ([0; SALT], [0; NONCE]);
    let random = |bytes: &mut [u8]| rand::fill(bytes).map_err(|_| KeyError::Failed("make one"));
    random(&mut salt)?;
    random(&mut nonce)?;
    let key = derived(password, &salt, log2(N))?;
    let (mut cipher, mac) = keyed(key.as_ref(), &nonce)?;
    let mut text = Zeroizing::new(der.to_vec());
    cipher.apply_keystream(&mut text);
    let boxed = [mac.compute_unpadded(&text).as_slice(), &text].concat();
    let shape = json!({
        "kdf": { "name": "scrypt", "params": { "N": N, "r": R, "p": P }, "salt": STANDARD.encode(salt) },
        "cipher": { "name": "nacl/secretbox", "nonce": STANDARD.encode(nonce) },
        "ciphertext": STANDARD.encode(boxed),
    });
    Ok(pem::written("ENCRYPTED SIGSTORE PRIVATE KEY", shape.to_string().as_bytes()))
}

fn derived(password: &[u8], salt: &[u8], log_n: u8) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let failed = KeyError::Failed("make a key of a password for");
    let params = scrypt::Params::new(log_n, R, P).map_err(|_| failed.clone())?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(password, salt, &params, key.as_mut()).map_err(|_| failed)?;
    Ok(key)
}

/// The cipher behind the first 32 bytes of its stream, which key the authenticator.
fn keyed(key: &[u8], nonce: &[u8]) -> Result<(XSalsa20, Poly1305), KeyError> {
    let mut cipher = XSalsa20::new_from_slices(key, nonce).map_err(|_| KeyError::Password)?;
    let mut first = Zeroizing::new([0; 32]);
    cipher.apply_keystream(first.as_mut());
    let mac = Poly1305::new_from_slice(first.as_ref()).map_err(|_| KeyError::Password)?;
    Ok((cipher, mac))
}

fn log2(n: u64) -> u8 {
    u8::try_from(n.trailing_zeros()).unwrap_or(u8::MAX)
}
