# SPDX-License-Identifier: ISC
"""Certificates: a service of master.cf may have its own."""
import json
import smtplib
import socket
import ssl
import subprocess

from conftest import have, wait_for


def make_certificate(path, name):
    """a key and a certificate it signed itself, in one file"""
    subprocess.run([have("openssl"), "req", "-x509", "-newkey", "ec",
                    "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", path + ".key", "-out", path + ".crt",
                    "-days", "30", "-subj", "/CN=" + name, "-addext",
                    "subjectAltName=DNS:" + name], check=True,
                   capture_output=True)
    with open(path, "w") as out:
        out.write(open(path + ".key").read() + open(path + ".crt").read())


def names(suite, service, ca, starttls=False, host=None):
    """whom a service's certificate is for"""
    tls = ssl.create_default_context(cafile=ca)
    tls.check_hostname = False
    if starttls:
        with smtplib.SMTP("127.0.0.1", suite.port(service), timeout=30) as s:
            s.ehlo("client.test")
            if host:
                s._host = host
            s.starttls(context=tls)
            found = s.sock.getpeercert()
    else:
        with socket.create_connection(
                ("127.0.0.1", suite.port(service)), 30) as plain:
            with tls.wrap_socket(plain, server_hostname=host) as s:
                found = s.getpeercert()
    return [v for _, v in found["subjectAltName"]]


def override(suite, service, setting):
    """an option of a service's row in master.cf"""
    r = suite.run("postconf", "-P", "127.0.0.1:%d/inet/%s" %
                  (suite.port(service), setting))
    assert r.returncode == 0, r.stderr


def reload(suite):
    r = suite.barid("reload")
    assert r.returncode == 0, r.stderr


def test_of_one_service(make_suite, tmp_path):
    tmp_path.chmod(0o755)
    own, sni = str(tmp_path / "own.pem"), str(tmp_path / "sni.pem")
    make_certificate(own, "submit.example.test")
    make_certificate(sni, "other.example.test")
    s = make_suite(
        "--set", "tls_server_sni_maps=inline:{ {other.example.test=%s} }" % sni)
    override(s, "submissions", "smtpd_tls_chain_files=" + own)
    reload(s)

    def has_own():
        try:
            return names(s, "submissions", own + ".crt")
        except OSError:             # the process of before
            return None
    assert wait_for(has_own) == ["submit.example.test"]
    for service in "smtp", "submission":
        assert "mail.example.test" in names(s, service, s.ca, starttls=True)
        assert names(s, service, sni + ".crt", starttls=True,
                     host="other.example.test") == ["other.example.test"]
    assert "mail.example.test" in names(s, "imaps", s.ca)
    assert names(s, "submissions", sni + ".crt",
                 host="other.example.test") == ["other.example.test"]
    # and again: tickets of one service do not help at another
    assert names(s, "submissions", own + ".crt") == ["submit.example.test"]

    r = s.barid("check", "--json")
    found = [json.loads(line) for line in r.stdout.splitlines()]
    assert any("service 127.0.0.1:%d" % s.port("submissions") in f["where"] and
               "not for" in f["text"] for f in found), found


def test_key_of_another(make_suite, tmp_path):
    """what cannot be used is said, and the other services serve"""
    tmp_path.chmod(0o755)
    own, other = str(tmp_path / "own.pem"), str(tmp_path / "other.pem")
    make_certificate(own, "submit.example.test")
    make_certificate(other, "other.example.test")
    s = make_suite()
    override(s, "submission", "smtpd_tls_chain_files=")
    override(s, "submission", "smtpd_tls_cert_file=%s.crt" % own)
    override(s, "submission", "smtpd_tls_key_file=%s.key" % other)
    reload(s)
    assert "mail.example.test" in names(s, "smtp", s.ca, starttls=True)
    wait_for(lambda: "smtpd of 127.0.0.1:%d: " % s.port("submission")
             in s.maillog())
    assert "does not belong to the private key" in s.maillog()
    r = s.barid("check", "--json")
    assert r.returncode == 1
    assert "service 127.0.0.1:%d: smtpd_tls_cert_file" % \
        s.port("submission") in r.stdout
