//! SCRAM-SHA-256 verifiers, made and checked without the server: a password that is right already is not
//! set again (each ALTER ROLE would make a new salt), and none travels in an SQL text.
//! Source: RFC 5802, RFC 7677; the form is that of PostgreSQL's `pg_authid.rolpassword` (chapter 53.8).

use super::Verifier;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// PostgreSQL's default (`scram_iterations`).
const ITERATIONS: u32 = 4096;

impl Verifier {
    /// The verifier of a password with this salt; `None` only for a key length that HMAC refuses, which
    /// none is.
    pub fn of(password: &str, salt: &[u8]) -> Option<Self> {
        compute(password, salt, ITERATIONS).map(Self::new)
    }

    /// Whether this is a verifier of the password. Of another form than SCRAM-SHA-256 it is not.
    pub fn matches(&self, password: &str) -> bool {
        let parts = || {
            let (iterations, rest) = self
                .expose()
                .strip_prefix("SCRAM-SHA-256$")?
                .split_once(':')?;
            let (salt, _) = rest.split_once('$')?;
            Some((iterations.parse().ok()?, STANDARD.decode(salt).ok()?))
        };
        parts().is_some_and(|(iterations, salt)| {
            compute(password, &salt, iterations).as_deref() == Some(self.expose())
        })
    }
}

fn compute(password: &str, salt: &[u8], iterations: u32) -> Option<String> {
    // As the server does: a text that has no prepared form is taken as it is.
    let prepared = stringprep::saslprep(password).map_or(password.into(), |text| text);
    let salted = pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(prepared.as_bytes(), salt, iterations);
    let key = |word: &[u8]| {
        let mut mac = Hmac::<Sha256>::new_from_slice(&salted).ok()?;
        mac.update(word);
        Some(mac.finalize().into_bytes())
    };
    let stored = Sha256::digest(key(b"Client Key")?);
    let server = key(b"Server Key")?;
    Some(format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        STANDARD.encode(salt),
        STANDARD.encode(stored),
        STANDARD.encode(server)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, chapter 3: from its keys the verifier follows.
    #[test]
    fn a_verifier_is_that_of_the_standard() {
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let made = Verifier::of("pencil", &salt).unwrap();
        assert_eq!(
            made.expose(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
        assert!(made.matches("pencil"));
        assert!(!made.matches("pencils"));
        assert!(!Verifier::new("md5aa").matches("pencil"));
        assert!(!Verifier::new("SCRAM-SHA-256$x").matches("pencil"));
    }

    #[test]
    fn a_password_is_prepared_as_the_client_does() {
        // U+00A0 is mapped to a space, U+00AA to `a`: RFC 4013, chapter 3.
        let made = Verifier::of("I\u{a0}\u{aa}", b"0123456789abcdef").unwrap();
        assert!(made.matches("I a"));
        // a control character has no prepared form
        let odd = Verifier::of("\u{7}x", b"0123456789abcdef").unwrap();
        assert!(odd.matches("\u{7}x") && !odd.matches("x"));
    }
}
