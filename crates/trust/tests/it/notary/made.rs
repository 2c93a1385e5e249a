//! Chains, envelopes and lists that are made here, right or wrong as a test wants them.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use boltseal_model::Digest;
use cms::cert::x509::{
    self as x509_cert,
    der::{
        DateTime, Decode as _, Encode as _,
        asn1::{BitString, GeneralizedTime, OctetString},
    },
    spki::AlgorithmIdentifierOwned,
};
use coset::{
    CborSerializable as _, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable as _, cbor::Value as Cbor,
    iana,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, ResponderId, ResponseData,
    SingleResponse, Version,
};

const SCHEME: &str = "io.cncf.notary.signingScheme";
const SIGNING_TIME: &str = "io.cncf.notary.signingTime";

/// A root, a leaf of it, and the leaf's key.
pub struct Made {
    issuer: Issuer<'static, KeyPair>,
    /// The root's key, for what rcgen does not make.
    above: EcdsaKeyPair,
    pub root: Vec<u8>,
    pub leaf: Vec<u8>,
    key: EcdsaKeyPair,
}

fn named(organisation: &str, name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    for (kind, value) in [
        (DnType::CountryName, "US"),
        (DnType::StateOrProvinceName, "WA"),
        (DnType::OrganizationName, organisation),
        (DnType::CommonName, name),
    ] {
        params.distinguished_name.push(kind, value);
    }
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// What a leaf should be.
pub fn leaf() -> CertificateParams {
    let mut params = named("Acme", "releases");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
    params.serial_number = Some(SerialNumber::from(7_u64));
    params
}

/// What a root should be.
pub fn root() -> CertificateParams {
    let mut params = named("Acme", "root");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Made {
    pub fn new() -> Self {
        Self::of(root(), &leaf())
    }

    pub fn of(root: CertificateParams, leaf: &CertificateParams) -> Self {
        let pair = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let (above, below) = (pair(), pair());
        let asn1 = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let again = EcdsaKeyPair::from_pkcs8(asn1, above.serialized_der()).unwrap();
        let root_der = root.self_signed(&above).unwrap().der().to_vec();
        let issuer = Issuer::new(root, above);
        let leaf = leaf.signed_by(&below, &issuer).unwrap().der().to_vec();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, below.serialized_der()).unwrap();
        Self { issuer, above: again, root: root_der, leaf, key }
    }

    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.key.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec()
    }

    /// An envelope about `image`, whose protected attributes `change` has changed.
    pub fn jws(&self, image: &Digest, change: impl Fn(&mut Value)) -> Value {
        let mut protected = json!({
            "alg": "ES256",
            "cty": "application/vnd.cncf.notary.payload.v1+json",
            "crit": [SCHEME],
            SCHEME: "notary.x509",
            SIGNING_TIME: "2026-10-01T00:00:00Z",
        });
        change(&mut protected);
        let protected = URL_SAFE_NO_PAD.encode(protected.to_string());
        let payload = URL_SAFE_NO_PAD.encode(payload(image).to_string());
        let signature = self.sign(format!("{protected}.{payload}").as_bytes());
        json!({
            "payload": payload,
            "protected": protected,
            "header": { "x5c": [STANDARD.encode(&self.leaf), STANDARD.encode(&self.root)] },
            "signature": URL_SAFE_NO_PAD.encode(signature),
        })
    }

    /// The same in COSE; `more` are further protected attributes, critical where the name ends in `!`.
    pub fn cose(&self, image: &Digest, algorithm: iana::Algorithm, more: &[(&str, Cbor)]) -> Vec<u8> {
        let time = Cbor::Tag(1, Box::new(Cbor::from(1_790_812_800)));
        let mut header = HeaderBuilder::new()
            .algorithm(algorithm)
            .content_type("application/vnd.cncf.notary.payload.v1+json".to_owned())
            .text_value(SCHEME.to_owned(), Cbor::from("notary.x509"))
            .text_value(SIGNING_TIME.to_owned(), time)
            .add_critical_label(coset::RegisteredLabelWithPrivate::Text(SCHEME.to_owned()));
        for (name, value) in more {
            let bare = name.trim_end_matches('!').to_owned();
            header = header.text_value(bare.clone(), value.clone());
            if name.ends_with('!') {
                header = header.add_critical_label(coset::RegisteredLabelWithPrivate::Text(bare));
            }
        }
        let chain = vec![Cbor::from(self.leaf.clone()), Cbor::from(self.root.clone())];
        let message = CoseSign1Builder::new()
            .protected(header.build())
            .unprotected(HeaderBuilder::new().value(33, Cbor::Array(chain)).build())
            .payload(payload(image).to_string().into_bytes())
            .create_signature(&[], |bytes| self.sign(bytes))
            .build();
        message.to_tagged_vec().unwrap()
    }

    /// A list of the root with these serial numbers, of this year.
    pub fn list(&self, serials: &[u64], year: i32) -> Vec<u8> {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2026, 6, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(year, 1, 1),
            next_update: date_time_ymd(year + 1, 1, 1),
            crl_number: SerialNumber::from(1_u64),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

impl Made {
    /// A list of the root of this year, put together by hand: with a version if it is the second, its entries in DER, and what
    /// is behind them.
    pub fn plain_list(&self, version: Option<u8>, entries: &[Vec<u8>], behind: &[u8]) -> Vec<u8> {
        let root = x509_cert::Certificate::from_der(&self.root).unwrap().tbs_certificate;
        let algorithm = tagged(0x30, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
        let signed = [
            version.map(|version| tagged(2, &[version])).unwrap_or_default(),
            algorithm.clone(),
            root.subject.to_der().unwrap(),
            tagged(0x17, b"260101000000Z"),
            tagged(0x17, b"270101000000Z"),
            tagged(0x30, &entries.concat()),
            behind.to_vec(),
        ];
        let signed = tagged(0x30, &signed.concat());
        let signature = self.above.sign(&SystemRandom::new(), &signed).unwrap();
        let signature = tagged(3, &[&[0], signature.as_ref()].concat());
        tagged(0x30, &[signed, algorithm, signature].concat())
    }

    /// What the root answers about the leaf (RFC 6960), in this year.
    pub fn answer(&self, status: CertStatus, year: u16) -> Vec<u8> {
        let at = |year| {
            OcspGeneralizedTime(GeneralizedTime::from_date_time(DateTime::new(year, 1, 1, 0, 0, 0).unwrap()))
        };
        let root = x509_cert::Certificate::from_der(&self.root).unwrap().tbs_certificate;
        let sha256 = |bytes: &[u8]| OctetString::new(crate::instance::sha256(bytes)).unwrap();
        let key = root.subject_public_key_info.subject_public_key.raw_bytes();
        let algorithm = |oid: &str| AlgorithmIdentifierOwned { oid: oid.parse().unwrap(), parameters: None };
        let data = ResponseData {
            version: Version::V1,
            responder_id: ResponderId::ByName(root.subject.clone()),
            produced_at: at(year),
            responses: vec![SingleResponse {
                cert_id: CertId {
                    hash_algorithm: algorithm("2.16.840.1.101.3.4.2.1"),
                    issuer_name_hash: sha256(&root.subject.to_der().unwrap()),
                    issuer_key_hash: sha256(key),
                    serial_number: x509_cert::serial_number::SerialNumber::from(7_u32),
                },
                cert_status: status,
                this_update: at(year),
                next_update: Some(at(year + 1)),
                single_extensions: None,
            }],
            response_extensions: None,
        };
        let signature = self.above.sign(&SystemRandom::new(), &data.to_der().unwrap()).unwrap();
        let basic = BasicOcspResponse {
            tbs_response_data: data,
            signature_algorithm: algorithm("1.2.840.10045.4.3.2"),
            signature: BitString::from_bytes(signature.as_ref()).unwrap(),
            certs: None,
        };
        OcspResponse::successful(basic).unwrap().to_der().unwrap()
    }
}

/// What is signed about `image`.
pub fn payload(image: &Digest) -> Value {
    json!({ "targetArtifact": {
        "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": image, "size": 528,
    }})
}

/// A message of COSE without its tag.
pub fn untagged(bytes: &[u8]) -> Vec<u8> {
    coset::CoseSign1::from_tagged_slice(bytes).unwrap().to_vec().unwrap()
}

/// An element of DER.
pub fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
    let length = match u8::try_from(length) {
        Ok(length) if length < 0x80 => vec![length],
        _ => [&[0x80 | u8::try_from(digits.len()).unwrap()][..], &digits].concat(),
    };
    [&[tag][..], &length, content].concat()
}

/// An entry of a list.
pub fn entry(number: &[u8], extensions: &[u8]) -> Vec<u8> {
    tagged(0x30, &[tagged(2, number), tagged(0x17, b"260601000000Z"), extensions.to_vec()].concat())
}
