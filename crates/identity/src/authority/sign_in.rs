//! Proving who somebody is: by name and secret, or by a token.

use std::net::IpAddr;

use boltseal_model::Timestamp;

use super::{Authority, Caller, Via};
use crate::{
    Principal, PrincipalKind,
    credential::{Credentials, verify_secret},
    password,
    registry_scope::RegistryScopes,
    token::{Kind, Method, TokenError},
};

/// Why somebody is not let in. What a client is told is less: that it is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Unknown, disabled, or the secret is not theirs: nobody is told which.
    #[error("name or secret is wrong")]
    Wrong,
    /// A second factor is missing.
    #[error("a one-time password is needed as well")]
    CodeNeeded,
    /// The second factor is wrong or was used before.
    #[error("the one-time password is wrong, or was used before: wait for the next one")]
    CodeWrong,
    /// Too many wrong attempts lately, by this name from this network.
    #[error("too many wrong attempts: wait {seconds} seconds")]
    Wait {
        /// How long.
        seconds: i64,
    },
    /// Too many passwords are being checked.
    #[error("too many people are signing in at this moment: try again")]
    Busy,
    /// The token is not good.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// It was ended before its time: signed out, or the principal's sessions were ended, or it is gone.
    #[error("this token was ended: sign in again")]
    Ended,
}

/// Somebody who proved who they are.
#[derive(Clone, Debug)]
pub struct Proved {
    /// Who.
    pub caller: Caller,
    /// Their credentials from now on, where proving used one up: store them before letting anybody in.
    pub spent: Option<Credentials>,
}

impl Authority {
    /// Whether checking this name's secret takes a slow hash: then ask on a thread that may block.
    pub fn is_slow(&self, name: &str) -> bool {
        let directory = self.directory();
        // The unknown are as slow as users, so that names cannot be told by the time it takes.
        directory.principal_named(name).is_none_or(|found| found.kind == PrincipalKind::User)
    }

    /// The principal with this name and secret; `code` is a one-time password or a recovery code, for users who have
    /// that. A wrong one costs the pair of name and network time; nobody else.
    pub fn secret(
        &self,
        name: &str,
        secret: &str,
        code: Option<&str>,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Proved, Refused> {
        let seconds = self.wait(name, from, now);
        if seconds > 0 {
            return Err(Refused::Wait { seconds });
        }
        let outcome = self.check(name, secret, code, now);
        match &outcome {
            Ok(_) => self.delays().succeeded(name, from),
            Err(Refused::CodeNeeded | Refused::Busy) => {}
            Err(_) => self.failed(name, from, now),
        }
        outcome
    }

    fn check(&self, name: &str, secret: &str, code: Option<&str>, now: Timestamp) -> Result<Proved, Refused> {
        let directory = self.directory();
        let found = directory.principal_named(name);
        let credentials = found.map(|principal| &principal.credentials);
        // Both are always asked of whoever might be a user, whatever the name.
        let key = verify_secret(credentials, secret, now).map(Method::Secret);
        let method = match key {
            Some(method) => Some(method),
            None if found.is_none_or(|principal| principal.kind == PrincipalKind::User) => {
                let _one_of_few = self.0.hashing.enter().ok_or(Refused::Busy)?;
                let hash = credentials.and_then(|credentials| credentials.password.as_ref());
                password::verify(hash, secret).then_some(Method::Password)
            }
            None => None,
        };
        let (Some(principal), Some(method)) = (found, method) else { return Err(Refused::Wrong) };
        if principal.disabled || principal.id.is_well_known() {
            return Err(Refused::Wrong);
        }
        let (method, spent) = match method {
            Method::Password => self.second_factor(principal, code, now)?,
            method => (method, None),
        };
        Ok(Proved { caller: caller(principal, method, Via::Basic), spent })
    }

    fn second_factor(
        &self,
        principal: &Principal,
        code: Option<&str>,
        now: Timestamp,
    ) -> Result<(Method, Option<Credentials>), Refused> {
        let Some(totp) = &principal.credentials.totp else { return Ok((Method::Password, None)) };
        let code = code.filter(|code| !code.is_empty()).ok_or(Refused::CodeNeeded)?;
        let totp = totp
            .open(self.keys(), principal.id.0)
            .map_err(|error| Refused::Token(TokenError::Seal(error)))?;
        if let Some(step) = totp.check(code, None, now) {
            let fresh = self.use_step(principal.id, step);
            return if fresh { Ok((Method::PasswordAndTotp, None)) } else { Err(Refused::CodeWrong) };
        }
        let mut credentials = principal.credentials.clone();
        if credentials.use_recovery(code) {
            return Ok((Method::PasswordAndRecovery, Some(credentials)));
        }
        Err(Refused::CodeWrong)
    }

    /// Whose token this is, if it is genuine, of this kind, for this server, not expired and not ended.
    pub fn token(&self, token: &str, kind: Kind, now: Timestamp) -> Result<Caller, Refused> {
        self.token_for(self.audience(), token, kind, now)
    }

    /// The same for another audience.
    pub fn token_for(
        &self,
        audience: &str,
        token: &str,
        kind: Kind,
        now: Timestamp,
    ) -> Result<Caller, Refused> {
        let claims = self.keys().open_token(token, kind, audience, now)?;
        let directory = self.directory();
        let id = crate::PrincipalId(claims.grant.principal);
        let principal =
            directory.principal(id).filter(|principal| !principal.disabled).ok_or(Refused::Ended)?;
        if claims.is_outdated(principal.epoch) || self.is_void(&claims) {
            return Err(Refused::Ended);
        }
        Ok(Caller {
            token: Some(claims.id),
            expires: Some(claims.expires),
            scopes: claims.grant.scopes,
            ..caller(principal, claims.grant.method, Via::Token(kind))
        })
    }

    /// The caller that a principal is once it has proved itself by `method`: for ways of proving that are not here.
    pub fn caller(&self, id: crate::PrincipalId, method: Method) -> Option<Caller> {
        let directory = self.directory();
        let principal = directory.principal(id).filter(|principal| !principal.disabled)?;
        Some(caller(principal, method, Via::Nothing))
    }
}

fn caller(principal: &Principal, method: Method, via: Via) -> Caller {
    Caller {
        id: principal.id,
        name: principal.name.shared(),
        kind: principal.kind,
        method,
        via,
        token: None,
        expires: None,
        scopes: RegistryScopes::All,
    }
}
