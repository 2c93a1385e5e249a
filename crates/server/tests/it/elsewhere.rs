//! Tokens of other issuers: an issuer of our own stands in for GitHub, Kubernetes, and whoever people sign in through.

mod entra;
mod federation;
mod issuer;
mod sign_in;
