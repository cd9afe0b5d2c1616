// systemd's readiness protocol: one datagram to the socket that $NOTIFY_SOCKET names.
#ifndef CORESNAP_DAEMON_NOTIFY_H
#define CORESNAP_DAEMON_NOTIFY_H

/** Sends `state` ("READY=1"). Does nothing where no one listens; a lost message is not an error. */
void notify_systemd(const char *state);

#endif
