//go:build synctests

package sim

// durable: waiting for one of the Kafka client's locks lets virtual time go on.
const durable = true
