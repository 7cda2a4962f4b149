//! Filters that write credentials in the forms of PostgreSQL and Pgpool-II.

use aes::Aes256;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use minijinja::{Environment, Error, ErrorKind};
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("hash", hash);
    environment.add_filter("pgpool_aes", pgpool_aes);
    environment.add_filter("pgpool_value", |text: &str| {
        one_line(text).map(pgpool_value)
    });
    environment.add_filter("pgpass_field", |text: &str| {
        one_line(text).map(|text| text.replace('\\', "\\\\").replace(':', "\\:"))
    });
    environment.add_filter("hba_name", |text: &str| one_line(text).map(hba_name));
}

/// These files have one entry a line, and no way to write the end of one.
fn one_line(text: &str) -> Result<&str, Error> {
    if text.contains(['\n', '\r', '\0']) {
        let message = "a name or password with the end of a line in it cannot be written here";
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `'password' | hash('md5')`, in hexadecimal.
fn hash(text: &str, algorithm: Option<&str>) -> Result<String, Error> {
    Ok(match algorithm.unwrap_or("sha1") {
        "md5" => hex(&Md5::digest(text)),
        "sha1" => hex(&Sha1::digest(text)),
        "sha256" => hex(&Sha256::digest(text)),
        other => {
            return Err(Error::new(
                ErrorKind::InvalidOperation,
                format!("`hash` knows md5, sha1 and sha256, not `{other}`"),
            ));
        }
    })
}

/// A password as `pg_enc` writes it into pool_passwd: AES-256-CBC with a key and a start made of the key file's text
/// by OpenSSL's `EVP_BytesToKey` (SHA-1, no salt, one round), so the same password always gives the same text.
/// Source: Pgpool-II, `ssl_utils.c`, `aes_get_key`.
fn pgpool_aes(password: &str, key: &str) -> Result<String, Error> {
    let (password, key) = (one_line(password)?, one_line(key)?);
    let mut made: Vec<u8> = Vec::new();
    let mut last: Vec<u8> = Vec::new();
    while made.len() < 48 {
        last = Sha1::new()
            .chain_update(&last)
            .chain_update(key)
            .finalize()
            .to_vec();
        made.extend(&last);
    }
    let cipher = cbc::Encryptor::<Aes256>::new_from_slices(&made[..32], &made[32..48])
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))?;
    let bytes = cipher.encrypt_padded_vec::<Pkcs7>(password.as_bytes());
    Ok(format!("AES{}", BASE64.encode(bytes)))
}

/// A quoted value of pgpool.conf.
fn pgpool_value(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// A user or database of pg_hba.conf and pool_hba.conf: quoted unless it is a plain word that means itself.
fn hba_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let means_more = ["all", "replication", "sameuser", "samerole", "samegroup"];
    if !name.is_empty() && name.chars().all(plain) && !means_more.contains(&name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last of each was written by `pg_enc -k` of Pgpool-II 4.6.1.
    #[test]
    fn passwords_are_encrypted_as_pg_enc_does() {
        for (password, key, written) in [
            ("pgpool", "ke2pgpoolkey", "AESzqMhhjs8zpqCrX2RpqsWYQ=="),
            ("kompira", "ke2pgpoolkey", "AES3eyL9O8MI2JtQOyA+M/BJA=="),
            ("a:b \"c'$`\\ # é", "k e:y", "AES0JwWoyqL1wi0WXneldTKew=="),
            (
                "0123456789abcdef",
                "x",
                "AESrCuA2g0BAW6HHUazhOjfWx9RVnuA3cTIaMV506ciTzE=",
            ),
        ] {
            assert_eq!(pgpool_aes(password, key).unwrap(), written);
        }
    }

    #[test]
    fn odd_names_are_quoted_as_each_file_wants_it() {
        assert_eq!(hba_name("kompira"), "kompira");
        assert_eq!(hba_name("all"), "\"all\"");
        assert_eq!(hba_name("Ki \"x\""), "\"Ki \"\"x\"\"\"");
        assert_eq!(pgpool_value("it's \\"), "'it''s \\\\'");
        assert!(one_line("a\nb").is_err());
    }
}
