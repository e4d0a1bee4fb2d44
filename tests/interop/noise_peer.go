// noise_peer: a peer of erad whose Noise is another implementation's
// (github.com/flynn/noise). Shakes hands with a real daemon as either end,
// exchanges hellos, sends more records than one key lasts, and stays until its
// input ends. Prints one line of JSON once it knows the daemon.
//
//	noise_peer dial|listen HOST:PORT NETWORK_HEX RECORDS
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strconv"

	"github.com/flynn/noise"
	"golang.org/x/crypto/curve25519"
)

const (
	protocol     = 1
	rekeyRecords = 1024
	plainMax     = 65535 - 16
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "noise_peer:", err)
		os.Exit(1)
	}
}

// ---- keys ----

type node struct {
	public ed25519.PublicKey
	dh     noise.DHKey
}

func newNode() node {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	check(err)
	h := sha512.Sum512(private.Seed())
	secret := h[:32]
	secret[0] &= 248
	secret[31] = secret[31]&127 | 64
	x, err := curve25519.X25519(secret, curve25519.Basepoint)
	check(err)
	return node{public, noise.DHKey{Private: secret, Public: x}}
}

// x25519Of is the X25519 form of an Ed25519 key: u = (1 + y) / (1 - y).
func x25519Of(key []byte) []byte {
	p := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	le := append([]byte(nil), key...)
	le[31] &= 127
	y := new(big.Int).SetBytes(reversed(le))
	one := big.NewInt(1)
	u := new(big.Int).Sub(one, y)
	u.ModInverse(u.Mod(u, p), p)
	u.Mul(u, new(big.Int).Add(one, y)).Mod(u, p)
	return reversed(u.FillBytes(make([]byte, 32)))
}

// text is the key as erad writes it: bech32 of BIP-173 with the prefix erapub.
func text(key []byte) string {
	const prefix, letters = "erapub", "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	var data []byte
	acc, bits := 0, 0
	for _, b := range key {
		acc, bits = acc<<8|int(b), bits+8
		for ; bits >= 5; bits -= 5 {
			data = append(data, byte(acc>>(bits-5)&31))
		}
		acc &= 1<<bits - 1
	}
	if bits > 0 {
		data = append(data, byte(acc<<(5-bits)&31))
	}
	sum := uint32(1)
	step := func(v byte) {
		top := sum >> 25
		sum = sum&0x1ffffff<<5 ^ uint32(v)
		for i, g := range []uint32{0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3} {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	for _, c := range prefix {
		step(byte(c >> 5))
	}
	step(0)
	for _, c := range prefix {
		step(byte(c & 31))
	}
	for _, v := range append(append([]byte(nil), data...), 0, 0, 0, 0, 0, 0) {
		step(v)
	}
	for i := 5; i >= 0; i-- {
		data = append(data, byte((sum^1)>>(5*i)&31))
	}
	out := prefix + "1"
	for _, v := range data {
		out += string(letters[v])
	}
	return out
}

func reversed(b []byte) []byte {
	r := make([]byte, len(b))
	for i := range b {
		r[len(b)-1-i] = b[i]
	}
	return r
}

// ---- the channel ----

type channel struct {
	conn           net.Conn
	send, receive  *noise.CipherState
	sent, received int
	plain, peer    []byte
}

func preamble(network []byte) []byte {
	var b bytes.Buffer
	b.WriteString("erad")
	check(binary.Write(&b, binary.BigEndian, []uint32{protocol, protocol}))
	b.Write(network)
	return b.Bytes()
}

func record(message []byte) []byte {
	return append([]byte{byte(len(message) >> 8), byte(len(message))}, message...)
}

func readRecord(conn net.Conn) []byte {
	var header [2]byte
	_, err := io.ReadFull(conn, header[:])
	check(err)
	message := make([]byte, binary.BigEndian.Uint16(header[:]))
	_, err = io.ReadFull(conn, message)
	check(err)
	return message
}

func write(conn net.Conn, b []byte) {
	_, err := conn.Write(b)
	check(err)
}

func open(conn net.Conn, dials bool, network []byte, mine noise.DHKey) *channel {
	ours, theirs := preamble(network), make([]byte, 44)
	ephemeral := make([]byte, 32)
	_, err := rand.Read(ephemeral)
	check(err)
	if dials { // the first message goes along
		e, err := curve25519.X25519(ephemeral, curve25519.Basepoint)
		check(err)
		write(conn, append(append([]byte(nil), ours...), record(e)...))
	}
	_, err = io.ReadFull(conn, theirs)
	check(err)
	if !bytes.Equal(theirs[:4], ours[:4]) || !bytes.Equal(theirs[12:], network) {
		check(errors.New("its preamble is of another network"))
	}
	prologue := append([]byte("erad-link"), network...)
	if dials {
		prologue = append(append(prologue, ours...), theirs...)
	} else {
		write(conn, ours)
		prologue = append(append(prologue, theirs...), ours...)
	}
	suite := noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, noise.HashBLAKE2b)
	hs, err := noise.NewHandshakeState(noise.Config{CipherSuite: suite, Pattern: noise.HandshakeXX,
		Initiator: dials, Prologue: prologue, StaticKeypair: mine, Random: bytes.NewReader(ephemeral)})
	check(err)
	c := &channel{conn: conn}
	var first, second *noise.CipherState
	for i := 0; i < 3; i++ {
		var message []byte
		if (i%2 == 0) == dials {
			message, first, second, err = hs.WriteMessage(nil, nil)
			check(err)
			if i > 0 {
				write(conn, record(message))
			}
		} else {
			_, first, second, err = hs.ReadMessage(nil, readRecord(conn))
			check(err)
		}
	}
	c.send, c.receive = first, second
	if !dials {
		c.send, c.receive = second, first
	}
	c.peer = hs.PeerStatic()
	return c
}

func (c *channel) put(frame []byte) {
	var b bytes.Buffer
	check(binary.Write(&b, binary.BigEndian, uint32(len(frame))))
	b.Write(frame)
	message, err := c.send.Encrypt(nil, nil, b.Bytes())
	check(err)
	write(c.conn, record(message))
	if c.sent++; c.sent%rekeyRecords == 0 {
		c.send.Rekey()
	}
}

func (c *channel) next() []byte {
	for {
		if len(c.plain) >= 4 {
			n := int(binary.BigEndian.Uint32(c.plain))
			if len(c.plain) >= 4+n {
				frame := c.plain[4 : 4+n]
				c.plain = c.plain[4+n:]
				return frame
			}
		}
		plain, err := c.receive.Decrypt(nil, nil, readRecord(c.conn))
		check(err)
		if len(plain) > plainMax {
			check(errors.New("a record is too long"))
		}
		if c.received++; c.received%rekeyRecords == 0 {
			c.receive.Rekey()
		}
		c.plain = append(c.plain, plain...)
	}
}

// ---- hello: the few fields of proto/erad.proto that it takes ----

func field(number int, value []byte) []byte {
	out := []byte{byte(number<<3 | 2)}
	out = binary.AppendUvarint(out, uint64(len(value)))
	return append(out, value...)
}

func hello(network []byte, key []byte) []byte {
	var b []byte
	b = append(b, 1<<3, protocol, 2<<3, protocol)
	b = append(b, field(3, network)...)
	b = append(b, field(4, key)...)
	b = append(b, field(5, nil)...)
	b = append(b, 7<<3, 0)
	b = append(b, field(8, []byte("noise_peer/1"))...)
	b = append(b, field(11, make([]byte, 16))...)
	return field(1, b)
}

// lookup is the bytes of a field of a message; nil: it has none.
func lookup(message []byte, number int) []byte {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		value, m := binary.Uvarint(message[n:])
		message = message[n+m:]
		if tag&7 != 2 {
			continue
		}
		if int(tag>>3) == number {
			return message[:value]
		}
		message = message[value:]
	}
	return nil
}

func main() {
	if len(os.Args) != 5 {
		check(errors.New("usage: noise_peer dial|listen HOST:PORT NETWORK_HEX RECORDS"))
	}
	network, err := hex.DecodeString(os.Args[3])
	check(err)
	records, err := strconv.Atoi(os.Args[4])
	check(err)
	dials, me := os.Args[1] == "dial", newNode()
	var conn net.Conn
	if dials {
		conn, err = net.Dial("tcp", os.Args[2])
	} else {
		var l net.Listener
		l, err = net.Listen("tcp", os.Args[2])
		check(err)
		conn, err = l.Accept()
	}
	check(err)
	c := open(conn, dials, network, me.dh)
	c.put(hello(network, me.public))
	theirs := lookup(c.next(), 1)
	for i := 0; i < records; i++ {
		c.put([]byte{0xfa, 1, 0}) // a part that nobody knows
	}
	key := lookup(theirs, 4)
	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"ours":   text(me.public),
		"theirs": text(key),
		"agent":  string(lookup(theirs, 8)),
		"proven": len(key) == 32 && bytes.Equal(x25519Of(key), c.peer),
	}))
	go func() {
		for {
			c.next()
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}
