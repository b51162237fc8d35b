/* civetweb before 1.16 looks up SSL_get_peer_certificate in libssl.so; OpenSSL 3 exports that
 * function as SSL_get1_peer_certificate only. This library bears the name that civetweb opens,
 * adds the missing symbol, and hands on everything else: it is linked to the real one. */

typedef struct ssl_st SSL;
typedef struct x509_st X509;

X509 *SSL_get1_peer_certificate(const SSL *ssl);

X509 *SSL_get_peer_certificate(const SSL *ssl);

X509 *SSL_get_peer_certificate(const SSL *ssl) { return SSL_get1_peer_certificate(ssl); }
