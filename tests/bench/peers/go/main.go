// The receiver as people would write it in Go: net/http and franz-go.
//
// A webhook is answered 200 once its record is acknowledged by all in-sync replicas. The producer
// has franz-go's own settings but for the compression, which the other contenders have none of and
// which costs time here. Its linger of 10ms does not count: ProduceSync ends it at once.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	maxBody    = 256 << 10
	ackTimeout = 2 * time.Second
)

type receiver struct {
	client     *kgo.Client
	key        []byte
	signedWith []byte
}

func main() {
	key := []byte(os.Getenv("SIGNING_KEY"))
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("KAFKA_SERVERS")),
		kgo.DefaultProduceTopic(os.Getenv("KAFKA_TOPIC")),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	digest := sha256.Sum256(key)
	r := &receiver{client, key, []byte(hex.EncodeToString(digest[:4]))}

	routes := http.NewServeMux()
	routes.HandleFunc("POST /webhooks/{account}", r.receive)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("{\"port\": %d}\n", listener.Addr().(*net.TCPAddr).Port)
	server := &http.Server{
		Handler:           routes,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       20 * time.Second,
		IdleTimeout:       15 * time.Second,
	}
	log.Fatal(server.Serve(listener))
}

// receive answers one webhook.
func (r *receiver) receive(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			http.Error(w, "the body is too large", http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the body broke off", http.StatusBadRequest)
		return
	}
	if !r.signed(body, request.Header.Get("X-SmartPay-Hmac-Sha256")) {
		http.Error(w, "the signature is missing or wrong", http.StatusUnauthorized)
		return
	}
	ctx, cancel := context.WithTimeout(request.Context(), ackTimeout)
	defer cancel()
	record := r.record(request.PathValue("account"), request.Header.Get("X-SmartPay-Topic"), body)
	if err := r.client.ProduceSync(ctx, record).FirstErr(); err != nil {
		w.Header().Set("Retry-After", "5")
		http.Error(w, "not durable, send it again", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, "accepted\n")
}

// signed tells, in a time that does not depend on it, whether the signature is of this body.
func (r *receiver) signed(body []byte, signature string) bool {
	given, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), given)
}

// record returns what is appended: the body as it came, under the key of its resource.
func (r *receiver) record(account, topic string, body []byte) *kgo.Record {
	var id [16]byte
	rand.Read(id[:])
	return &kgo.Record{
		Key:   []byte(resourceKey(account, body)),
		Value: body,
		Headers: []kgo.RecordHeader{
			{Key: "payevents-account", Value: []byte(account)},
			{Key: "payevents-origin", Value: []byte("webhook")},
			{Key: "payevents-topic", Value: []byte(topic)},
			{Key: "payevents-received-at", Value: time.Now().UTC().AppendFormat(nil, time.RFC3339Nano)},
			{Key: "payevents-request-id", Value: []byte(hex.EncodeToString(id[:]))},
			{Key: "payevents-signed-with", Value: r.signedWith},
		},
	}
}

// resourceKey names the invoice or order that the body is about.
func resourceKey(account string, body []byte) string {
	var named struct {
		Invoice string `json:"invoice_id"`
		Order   string `json:"order_id"`
	}
	prefix := "smartpay/" + url.PathEscape(account)
	if err := json.Unmarshal(body, &named); err == nil {
		if named.Invoice != "" {
			return prefix + "/invoice/" + url.PathEscape(named.Invoice)
		}
		if named.Order != "" {
			return prefix + "/order/" + url.PathEscape(named.Order)
		}
	}
	digest := sha256.Sum256(body)
	return prefix + "/unknown/" + hex.EncodeToString(digest[:])
}
