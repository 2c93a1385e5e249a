//! What signs: a pair of keys in the memory of this process, or somebody else.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    rsa,
    signature::{
        self, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, ECDSA_P521_SHA512_ASN1_SIGNING,
        EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding,
    },
};
use cms::cert::x509::der::{Reader as _, SliceReader, asn1::UintRef};
use sigstore_verify::types::DerPublicKey;

use super::{
    KeyError,
    remote::{Kind, Remote},
};
use crate::x509::Scheme;

/// Below it RSA counts for nothing, with whoever verifies.
const MIN_RSA: usize = 256;

/// A pair of keys.
pub enum Pair {
    /// With the length of its numbers in bytes.
    Ecdsa(EcdsaKeyPair, usize),
    Ed25519(Ed25519KeyPair),
    Rsa(rsa::KeyPair),
    /// Elsewhere: its public half is known to whoever made it.
    Remote(Remote),
}

impl Pair {
    /// Reads PKCS#8, SEC 1 or PKCS#1.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let curves = [
            (&ECDSA_P256_SHA256_ASN1_SIGNING, 32),
            (&ECDSA_P384_SHA384_ASN1_SIGNING, 48),
            (&ECDSA_P521_SHA512_ASN1_SIGNING, 66),
        ];
        for (algorithm, length) in curves {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(algorithm, der) {
                return Some(Self::Ecdsa(pair, length));
            }
        }
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            return Some(Self::Ed25519(pair));
        }
        let pair = rsa::KeyPair::from_pkcs8(der).or_else(|_| rsa::KeyPair::from_der(der)).ok()?;
        (pair.public_modulus_len() >= MIN_RSA).then_some(Self::Rsa(pair))
    }

    pub fn public(&self) -> Option<DerPublicKey> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::Ecdsa(pair, _) => pair.public_key().as_der().ok()?,
            Self::Ed25519(pair) => pair.public_key().as_der().ok()?,
            Self::Rsa(pair) => pair.public_key().as_der().ok()?,
            Self::Remote(_) => return None,
        };
        Some(DerPublicKey::new(der.as_ref().to_vec()))
    }

    pub fn scheme(&self) -> Option<Scheme> {
        match self {
            Self::Ecdsa(_, length) | Self::Remote(Remote { kind: Kind::Ec(length), .. }) => {
                Some(match length {
                    32 => Scheme::Es256,
                    48 => Scheme::Es384,
                    _ => Scheme::Es512,
                })
            }
            Self::Rsa(pair) => of_rsa(pair.public_modulus_len()),
            Self::Remote(Remote { kind: Kind::Rsa(length), .. }) => of_rsa(*length),
            Self::Ed25519(_) | Self::Remote(Remote { kind: Kind::Ed25519, .. }) => None,
        }
    }

    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Ecdsa(_, 66) | Self::Remote(Remote { kind: Kind::Ec(66), .. }) => Err(KeyError::Unfit(
                "nobody verifies a bundle of sigstore by a key on P-521: sign for Notary Project with it"
                    .to_owned(),
            )),
            Self::Ecdsa(pair, _) => signed(pair.sign(&SystemRandom::new(), message)),
            Self::Ed25519(pair) => signed(pair.try_sign(message)),
            Self::Rsa(pair) => with_rsa(pair, &signature::RSA_PKCS1_SHA256, message),
            Self::Remote(remote) => remote.sign(message),
        }
    }

    pub fn sign_as(&self, scheme: Scheme, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        match self {
            Self::Ecdsa(pair, length) => {
                let der = signed(pair.sign(&SystemRandom::new(), message))?;
                fixed(&der, *length).ok_or(KeyError::Failed("sign"))
            }
            Self::Rsa(pair) => {
                let how: &'static dyn RsaEncoding = match scheme {
                    Scheme::Ps384 => &signature::RSA_PSS_SHA384,
                    Scheme::Ps512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PSS_SHA256,
                };
                with_rsa(pair, how, message)
            }
            Self::Remote(remote) => remote.sign_as(scheme, message),
            Self::Ed25519(_) => Err(KeyError::Failed("sign for Notary Project")),
        }
    }
}

/// By the bytes of the modulus.
const fn of_rsa(length: usize) -> Option<Scheme> {
    match length {
        256 => Some(Scheme::Ps256),
        384 => Some(Scheme::Ps384),
        512 => Some(Scheme::Ps512),
        _ => None,
    }
}

fn signed<E>(signature: Result<signature::Signature, E>) -> Result<Vec<u8>, KeyError> {
    Ok(signature.map_err(|_| KeyError::Failed("sign"))?.as_ref().to_vec())
}

fn with_rsa(pair: &rsa::KeyPair, how: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, KeyError> {
    let mut signature = vec![0; pair.public_modulus_len()];
    let made = pair.sign(how, &SystemRandom::new(), message, &mut signature);
    made.map_err(|_| KeyError::Failed("sign"))?;
    Ok(signature)
}

/// `ECDSA-Sig-Value` (RFC 3279, section 2.2.3) as two numbers of `length` bytes (RFC 7518, section 3.4).
fn fixed(der: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(der).ok()?;
    let numbers = reader.sequence(|inside| {
        let (r, s): (UintRef<'_>, UintRef<'_>) = (inside.decode()?, inside.decode()?);
        Ok([r.as_bytes().to_vec(), s.as_bytes().to_vec()])
    });
    let mut all = Vec::with_capacity(2 * length);
    for number in numbers.ok()? {
        all.resize(all.len() + length.checked_sub(number.len())?, 0);
        all.extend(number);
    }
    Some(all)
}
