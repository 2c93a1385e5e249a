//! What an object store says, in few words: without queries of addresses, which may be secret, and without its markup.

use object_store::Error as StoreError;

use crate::Error;

/// The longest text kept of what a store said.
const MAX_WORDS: usize = 300;

pub(super) fn of(what: &'static str, place: &str, error: &StoreError) -> Error {
    Error::Objects { what, place: place.to_owned(), detail: plain(&error.to_string()) }
}

pub(super) fn short(place: &str, wanted: u64, found: usize) -> Error {
    let detail = format!("{found} bytes came, {wanted} were asked for");
    Error::Objects { what: "read", place: place.to_owned(), detail }
}

/// Whether an upload in parts ended before, either way.
pub(super) fn is_gone(error: &StoreError) -> bool {
    // The second is what memory says.
    let said = error.to_string();
    matches!(error, StoreError::NotFound { .. })
        || ["NoSuchUpload", "MultipartUpload not found"].iter().any(|words| said.contains(words))
}

/// One line. The answers of stores repeat requests, keys and signatures; their codes and messages are enough.
fn plain(text: &str) -> String {
    let said: Vec<&str> =
        ["Code", "Message"].iter().filter_map(|name| between(text, name)).map(str::trim).collect();
    let before = text.split('<').next().unwrap_or(text);
    let whole = [&[before.trim()], said.as_slice()].concat().join(" ");
    let words = whole.split_whitespace().map(|word| match word.split_once('?') {
        Some((address, query)) if address.contains("://") && !query.is_empty() => address,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ").chars().take(MAX_WORDS).collect()
}

/// The content of the first element of a name.
fn between<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn says_what_happened_and_no_secret() {
        for (text, said) in [
            ("plain words", "plain words"),
            (
                "error sending request for url (https://a.example/c/b?sig=secret&se=1) timed out",
                "error sending request for url (https://a.example/c/b timed out",
            ),
            (
                "status 403: <Error><Code>SignatureDoesNotMatch</Code><Message>Check it</Message><StringToSign>x\
                 </StringToSign></Error>",
                "status 403: SignatureDoesNotMatch Check it",
            ),
        ] {
            assert_eq!(plain(text), said);
        }
        assert_eq!(plain(&"long ".repeat(1000)).len(), 300);
    }
}
