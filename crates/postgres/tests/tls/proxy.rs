//! Somebody in the middle: speaks TLS with both sides, and shows a certificate of their own.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::certificates::Certificates;

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Starts it in front of a server; gives its port.
pub(crate) async fn start(certificates: &Certificates, server: u16) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificates.path("root.crt")).unwrap()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::clone(&provider));
    let client =
        client.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots).with_no_client_auth();
    let chain = vec![CertificateDer::from_pem_file(certificates.path("stranger.crt")).unwrap()];
    let key = PrivateKeyDer::from_pem_file(certificates.path("stranger.key")).unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
    let (connector, acceptor) = (TlsConnector::from(Arc::new(client)), TlsAcceptor::from(Arc::new(config)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (connector, acceptor) = (connector.clone(), acceptor.clone());
            tokio::spawn(async move { between(stream, server, &connector, &acceptor).await });
        }
    });
    port
}

async fn between(
    mut ours: TcpStream,
    port: u16,
    connector: &TlsConnector,
    acceptor: &TlsAcceptor,
) -> std::io::Result<()> {
    ours.read_exact(&mut [0; 8]).await?;
    ours.write_all(b"S").await?;
    let mut ours = acceptor.accept(ours).await?;
    let mut theirs = TcpStream::connect(("127.0.0.1", port)).await?;
    theirs.write_all(&SSL_REQUEST).await?;
    assert_eq!(theirs.read_u8().await?, b'S');
    let mut theirs = connector.connect(ServerName::try_from("localhost").unwrap(), theirs).await?;
    tokio::io::copy_bidirectional(&mut ours, &mut theirs).await.map(drop)
}
