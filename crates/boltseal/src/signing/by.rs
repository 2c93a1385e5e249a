//! Who signs: the holder of a key, or of an identity for which an authority gives a certificate; and who vouches for that.

use std::{env, path::PathBuf, sync::Arc};

use boltseal_model::Digest;
use boltseal_trust::{Passport, PrivateKey, Root, Said, Signer, Stamped, Statement};
use zeroize::Zeroizing;

use super::{checked, key::open};
use crate::{
    console::Console,
    exit::Failure,
    given,
    vouching::{Flow, IdentityToken, Services, SignIn, TOKENS_NEXT},
};

/// Bytes of a file with a token.
const MAX_TOKEN_FILE: usize = 64 << 10;
/// What instances of sigstore call programs that sign.
const CLIENT: &str = "sigstore";
/// Logs that everybody reads: what is in them stays there.
const PUBLIC: &str = "sigstore.dev";

/// Who signs, and who vouches for it.
#[derive(Debug, clap::Args)]
pub struct By {
    /// Private key in PEM: PKCS#8, or the encrypted form of `boltseal key generate` and cosign; or where it is in a token:
    /// `pkcs11:token=…;object=…?module-path=…` (RFC 7512)
    #[arg(long, value_name = "FILE|URI", required_unless_present = "keyless", conflicts_with = "keyless")]
    key: Option<PathBuf>,
    /// File whose first line is the password of the key, or the PIN of the token [default: `COSIGN_PASSWORD`, or asks]
    #[arg(long, value_name = "FILE", requires = "key")]
    password_file: Option<PathBuf>,
    /// Sign without a key of your own: an authority gives a certificate for minutes to whom an identity token names
    #[arg(long, requires_all = ["fulcio", "rekor"])]
    keyless: bool,
    /// Address of the authority: a Fulcio
    #[arg(long, value_name = "URL", requires = "keyless")]
    fulcio: Option<String>,
    /// File with the identity token [default: `SIGSTORE_ID_TOKEN`, or what GitHub Actions or Azure Pipelines give]
    #[arg(long, value_name = "FILE", requires = "keyless")]
    identity_token: Option<PathBuf>,
    /// Sign in at this issuer of identities instead
    #[arg(long, value_name = "URL", requires = "keyless", conflicts_with = "identity_token")]
    oidc_issuer: Option<String>,
    /// How to sign in there
    #[arg(long, value_enum, value_name = "FLOW", default_value_t, requires = "oidc_issuer")]
    oidc_flow: Flow,
    /// What that issuer calls this program
    #[arg(long, value_name = "ID", default_value = CLIENT, requires = "oidc_issuer")]
    oidc_client_id: String,
    /// File with the secret by which it knows this program, if it wants one
    #[arg(long, value_name = "FILE", requires = "oidc_issuer")]
    oidc_client_secret_file: Option<PathBuf>,
    /// Have this log take the signature in: a Rekor of version 1 or 2
    #[arg(long, value_name = "URL")]
    rekor: Option<String>,
    /// Have this clock say when it was signed (RFC 3161); may be given more than once
    #[arg(long, value_name = "URL")]
    tsa: Vec<String>,
    /// Hold what the authority, the log and the clocks said against this `trusted_root.json` of the instance, as whoever verifies
    /// will; what would be refused is stored nowhere
    #[arg(long, value_name = "FILE", requires = "rekor")]
    trusted_root: Option<PathBuf>,
}

/// Somebody who is ready to sign.
pub struct Ready {
    key: PrivateKey,
    passport: Option<Passport>,
    services: Option<Services>,
    rekor: Option<String>,
    clocks: Vec<String>,
    root: Option<Arc<Root>>,
}

impl By {
    /// Opens the key, or asks for a certificate. `ca` is a file with authorities that vouch for the services.
    pub fn ready(&self, ca: Option<&PathBuf>, console: &Console) -> Result<Ready, Failure> {
        self.tell(console);
        self.at_last(ca, console)
    }

    /// The same, when [`Self::beforehand`] was long before.
    pub fn at_last(&self, ca: Option<&PathBuf>, console: &Console) -> Result<Ready, Failure> {
        let root = self.trusted_root.as_deref().map(checked::root).transpose()?;
        let asks = self.keyless || self.rekor.is_some() || !self.tsa.is_empty();
        let services = asks.then(|| Services::new(ca.cloned())).transpose()?;
        let (key, passport) = match (&self.key, &self.fulcio, &services) {
            (Some(path), _, _) => (open(path, self.password_file.as_deref())?, None),
            (None, Some(fulcio), Some(services)) => {
                let key = PrivateKey::passing().map_err(Failure::fault)?;
                let passport = services.certificate(fulcio, &self.token(services, console)?, &key)?;
                (key, Some(passport))
            }
            _ => {
                return Err(
                    Failure::usage("nobody signs").next("give --key FILE, or --keyless with --fulcio URL")
                );
            }
        };
        Ok(Ready { key, passport, services, rekor: self.rekor.clone(), clocks: self.tsa.clone(), root })
    }

    /// Finds out what can be wrong before something that takes long: a key is opened, and whether somebody can be named is looked at. A
    /// certificate is asked for afterwards ([`Self::at_last`]), since it counts for minutes.
    pub fn beforehand(&self, ca: Option<&PathBuf>, console: &Console) -> Result<Option<Ready>, Failure> {
        if !self.keyless {
            return self.ready(ca, console).map(Some);
        }
        self.tell(console);
        self.trusted_root.as_deref().map(checked::root).transpose()?;
        match &self.oidc_issuer {
            Some(issuer) => SignIn::check(issuer, self.oidc_flow)?,
            None => drop(self.token(&Services::new(ca.cloned())?, console)?),
        }
        Ok(None)
    }

    /// What cannot be taken back.
    fn tell(&self, console: &Console) {
        if let Some(rekor) = self.rekor.as_ref().filter(|rekor| rekor.contains(PUBLIC)) {
            console.note(format_args!(
                "everybody reads the log at {rekor}, and nothing is ever taken out of it: neither the signature nor the name in \
                 its certificate"
            ));
        }
    }

    /// What somebody chose counts before what is there by chance.
    fn token(&self, services: &Services, console: &Console) -> Result<IdentityToken, Failure> {
        if let Some(path) = &self.identity_token {
            return IdentityToken::parse(&Zeroizing::new(given::bounded(path, MAX_TOKEN_FILE)?));
        }
        if let Some(issuer) = &self.oidc_issuer {
            let secret = |path: &PathBuf| {
                let text = Zeroizing::new(given::bounded(path, MAX_TOKEN_FILE)?);
                Ok::<_, Failure>(Zeroizing::new(text.trim_end().to_owned()))
            };
            let how = SignIn {
                issuer: issuer.clone(),
                client: self.oidc_client_id.clone(),
                secret: self.oidc_client_secret_file.as_ref().map(secret).transpose()?,
                flow: self.oidc_flow,
            };
            return services.sign_in(&how, console);
        }
        services.ambient(&|name| env::var(name).ok())?.ok_or_else(|| {
            Failure::usage("there is no identity token, and no runner here that gives one")
                .next(format!("sign in with --oidc-issuer URL; or {TOKENS_NEXT}"))
        })
    }

    /// Whether only a key signs, for forms that know nothing else.
    pub fn by_key_alone(&self) -> bool {
        !self.keyless && self.rekor.is_none()
    }
}

impl Ready {
    /// The key.
    pub const fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Who signs.
    pub fn signer(&self) -> Signer {
        match &self.passport {
            Some(passport) => passport.signer.clone(),
            None => Signer::Key(self.key.public().digest()),
        }
    }

    /// Signs, and has the services vouch for it; the bundle, which our own verifier takes.
    pub fn bundle(
        &self,
        statement: &Statement,
        image: &Digest,
        name: Option<&str>,
    ) -> Result<Vec<u8>, Failure> {
        let mut said = Said::new(statement, image, name, &self.key).map_err(Failure::usage)?;
        for stamp in self.stamps(said.signature())? {
            said = said.with_stamp(stamp);
        }
        if let (Some(rekor), Some(services)) = (&self.rekor, &self.services) {
            // A certificate counts for minutes, so somebody must say when it was used.
            let timed = self.passport.is_some() && self.clocks.is_empty();
            let entry = services.entry(rekor, &said, &self.key, self.passport.as_ref(), timed)?;
            said = said.with_entry(entry);
        }
        let bundle = said.into_bundle(&self.key, self.passport.as_ref()).map_err(Failure::usage)?;
        let passport = self.passport.as_ref();
        checked::bundle(&bundle, (statement, image), &self.key, passport, self.root.as_ref())?;
        Ok(bundle)
    }

    /// What the clocks say about a signature.
    pub fn stamps(&self, signature: &[u8]) -> Result<Vec<Stamped>, Failure> {
        let Some(services) = &self.services else { return Ok(Vec::new()) };
        self.clocks.iter().map(|clock| services.stamp(clock, signature)).collect()
    }

    /// The log that takes it in.
    pub fn log(&self) -> Option<&str> {
        self.rekor.as_deref()
    }

    /// The clocks that see it.
    pub fn clocks(&self) -> &[String] {
        &self.clocks
    }
}
