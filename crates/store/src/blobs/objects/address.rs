//! Where an object store is: `s3://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`, `gs://BUCKET/PREFIX`.
//!
//! Credentials come from the environment as the tools of each cloud read them, never from the address.

use std::{fmt, sync::Arc, time::Duration};

use object_store::{
    BackoffConfig, ClientOptions, ObjectStore, RetryConfig, aws::AmazonS3Builder,
    azure::MicrosoftAzureBuilder, gcp::GoogleCloudStorageBuilder, memory::InMemory,
    multipart::MultipartStore,
};
use url::Url;

use crate::Error;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long one request may take: a part over a slow line.
const REQUEST: Duration = Duration::from_mins(2);
/// How often a request is tried again that failed on the way, or that the store was too busy for.
const RETRIES: usize = 6;
/// For how long.
const RETRYING: Duration = Duration::from_mins(2);
/// Between the first tries; it doubles, with chance in it, up to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// What is asked of an object store.
pub(super) trait Service: ObjectStore + MultipartStore {}

impl<T: ObjectStore + MultipartStore> Service for T {}

/// Whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    S3,
    Azure,
    Google,
    /// Of this process, for tests: it forgets everything.
    Memory,
}

pub(super) struct Address {
    pub(super) service: Arc<dyn Service>,
    pub(super) kind: Kind,
    /// Before every place; empty or with a slash at its end.
    pub(super) prefix: String,
}

pub(super) fn open(text: &str) -> Result<Address, Error> {
    let url: Url = text.parse().map_err(|e| wrong(format_args!("not an address: {e}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("credentials belong into the environment, not into the address"));
    }
    let trimmed = url.path().trim_matches('/');
    let prefix = if trimmed.is_empty() { String::new() } else { format!("{trimmed}/") };
    let bucket = url.host_str().unwrap_or_default();
    let options = Options::read(&url)?;
    let (service, kind): (Arc<dyn Service>, _) = match url.scheme() {
        "memory" => (Arc::new(InMemory::new()), Kind::Memory),
        "s3" => (Arc::new(options.s3(bucket).build().map_err(wrong)?), Kind::S3),
        "az" => (Arc::new(options.azure(bucket).build().map_err(wrong)?), Kind::Azure),
        "gs" => (Arc::new(options.google(bucket).build().map_err(wrong)?), Kind::Google),
        other => return Err(wrong(format_args!("{other}:// is none of s3://, az://, gs://"))),
    };
    if bucket.is_empty() && kind != Kind::Memory {
        return Err(wrong("the name of the bucket or container is missing"));
    }
    Ok(Address { service, kind, prefix })
}

/// What an address says after its `?`.
#[derive(Default)]
struct Options {
    endpoint: Option<String>,
    region: Option<String>,
    account: Option<String>,
    virtual_host: bool,
}

impl Options {
    fn read(url: &Url) -> Result<Self, Error> {
        let mut options = Self::default();
        for (key, value) in url.query_pairs() {
            match (url.scheme(), &*key) {
                (_, "endpoint") => options.endpoint = Some(value.into_owned()),
                ("s3", "region") => options.region = Some(value.into_owned()),
                ("s3", "virtual-host") => options.virtual_host = value == "true",
                ("az", "account") => options.account = Some(value.into_owned()),
                _ => {
                    let key: String = key.chars().take(40).collect();
                    return Err(wrong(format_args!("{key} means nothing for {}://", url.scheme())));
                }
            }
        }
        Ok(options)
    }

    fn s3(self, bucket: &str) -> AmazonS3Builder {
        let mut builder = AmazonS3Builder::from_env()
            .with_client_options(self.client())
            .with_retry(retry())
            .with_virtual_hosted_style_request(self.virtual_host)
            // One object at a time is removed anyway, and not every store knows how to remove many.
            .with_disable_bulk_delete(true)
            .with_bucket_name(bucket);
        if let Some(region) = self.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder
    }

    fn azure(self, container: &str) -> MicrosoftAzureBuilder {
        let mut builder = MicrosoftAzureBuilder::from_env()
            .with_client_options(self.client())
            .with_retry(retry())
            .with_container_name(container);
        if let Some(account) = self.account {
            builder = builder.with_account(account);
        }
        if let Some(endpoint) = self.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        builder
    }

    fn google(self, bucket: &str) -> GoogleCloudStorageBuilder {
        let builder = GoogleCloudStorageBuilder::from_env()
            .with_client_options(self.client())
            .with_retry(retry())
            .with_bucket_name(bucket);
        match &self.endpoint {
            Some(endpoint) => builder.with_base_url(endpoint),
            None => builder,
        }
    }

    /// Without TLS only where the address itself says so.
    fn client(&self) -> ClientOptions {
        let plain = self.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
        ClientOptions::new().with_allow_http(plain).with_connect_timeout(CONNECT).with_timeout(REQUEST)
    }
}

fn retry() -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: BACKOFF.0, max_backoff: BACKOFF.1, base: 2.0 };
    RetryConfig { backoff, max_retries: RETRIES, retry_timeout: RETRYING }
}

fn wrong(why: impl fmt::Display) -> Error {
    Error::Address(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_and_says_what_is_wrong_with_them() {
        for (text, wanted) in [
            ("s3://bucket?region=eu-central-1", Ok((Kind::S3, ""))),
            (
                "s3://bucket/a/b/?endpoint=http://127.0.0.1:1&region=x&virtual-host=true",
                Ok((Kind::S3, "a/b/")),
            ),
            ("az://container/x?account=here", Ok((Kind::Azure, "x/"))),
            ("memory:///x", Ok((Kind::Memory, "x/"))),
            ("s3://key:secret@bucket", Err("environment")),
            ("s3:///prefix", Err("bucket")),
            ("s3://bucket?account=x", Err("account means nothing for s3://")),
            ("ftp://bucket", Err("none of")),
            ("bucket", Err("not an address")),
        ] {
            match (open(text), wanted) {
                (Ok(found), Ok((kind, prefix))) => assert_eq!((found.kind, &*found.prefix), (kind, prefix)),
                (Err(error), Err(word)) => {
                    assert!(error.to_string().contains(word), "{text}: {error}");
                    assert!(!error.to_string().contains("secret"));
                }
                (found, _) => panic!("{text}: {:?}", found.map(|found| found.kind)),
            }
        }
    }
}
