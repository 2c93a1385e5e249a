//! Asks the agent of a node by its socket.

use std::path::{Path, PathBuf};

use boltseal_api::groups::Refused;
use http_body_util::{BodyExt as _, Full};
use hyper::{
    Request,
    body::{Bytes, Incoming},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::UnixStream;

/// Bytes of an answer that is no stream: a thousand groups.
const MAX_ANSWER: usize = 64 << 20;

/// Asks an agent.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
}

/// Why it did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers.
    #[error("no agent answers at {socket}: {why}")]
    Unreachable {
        /// Where.
        socket: PathBuf,
        /// Why.
        why: String,
    },
    /// It says no.
    #[error("{}", .0.error)]
    Refused(Refused),
}

impl Client {
    /// Of the agent at a socket.
    pub fn at(socket: &Path) -> Self {
        Self { socket: socket.to_owned() }
    }

    /// Asks for a value.
    ///
    /// # Errors
    /// Where nobody answers, or with a no.
    pub async fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Option<T>, ClientError> {
        let answer = self.send(method, path, body).await?;
        let status = answer.status();
        let bytes = http_body_util::Limited::new(answer.into_body(), MAX_ANSWER)
            .collect()
            .await
            .map_err(|error| self.unreachable(&error))?
            .to_bytes();
        if status.is_success() {
            return if bytes.is_empty() {
                Ok(None)
            } else {
                serde_json::from_slice(&bytes).map(Some).map_err(|error| self.unreachable(&error))
            };
        }
        Err(ClientError::Refused(serde_json::from_slice(&bytes).unwrap_or_else(|_| Refused {
            error: format!("the agent answered {status}: {}", String::from_utf8_lossy(&bytes)),
            next: None,
            denied: false,
        })))
    }

    /// Asks for values that come one by one, until there are no more or `each` says to stop.
    ///
    /// # Errors
    /// Where nobody answers, or with a no.
    pub async fn follow<T: DeserializeOwned>(
        &self,
        path: &str,
        mut each: impl FnMut(T) -> bool,
    ) -> Result<(), ClientError> {
        let answer = self.send("GET", path, None::<&()>).await?;
        if !answer.status().is_success() {
            return self.ask::<()>("GET", path, None::<&()>).await.map(drop);
        }
        let mut body = answer.into_body();
        let mut rest = Vec::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.unreachable(&error))?;
            rest.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                let value = serde_json::from_slice(&line).map_err(|error| self.unreachable(&error))?;
                if !each(value) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<hyper::Response<Incoming>, ClientError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.unreachable(&error))?;
        tokio::spawn(connection);
        let text = match body {
            Some(body) => serde_json::to_vec(body).map_err(|error| self.unreachable(&error))?,
            None => Vec::new(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "agent")
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(text)))
            .map_err(|error| self.unreachable(&error))?;
        sender.send_request(request).await.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> ClientError {
        ClientError::Unreachable { socket: self.socket.clone(), why: why.to_string() }
    }
}
