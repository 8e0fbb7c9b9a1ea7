//! The one cryptography provider of the process.

/// Makes rustls use *ring*. Every constructor of this crate that builds an HTTP
/// client calls it; calling it again, or after another part of the process chose a
/// provider, changes nothing.
pub fn install() {
    // The error says that a provider is installed already, which is what we want.
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
}
