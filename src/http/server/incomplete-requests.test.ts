import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { IncompleteRequests } from './incomplete-requests.ts';

function upload(forwarded: boolean) {
  const socket = { bytesRead: 100 };
  const request = Object.assign(new EventEmitter(), { socket, headers: { 'content-length': '5000' } });
  const response = new EventEmitter();
  const requests = new IncompleteRequests(1000);
  requests.begun(request as unknown as IncomingMessage, response, forwarded);
  return { socket, request, response, excess: () => requests.excess([socket as unknown as Socket]).length };
}

test('a body that is held counts until it has arrived', () => {
  const { socket, request, excess } = upload(false);
  socket.bytesRead = 5100;
  assert.equal(excess(), 1);
  request.emit('end');
  assert.equal(excess(), 0);
});

test('a body that is forwarded does not count, and the next headers do', () => {
  const { socket, response, excess } = upload(true);
  socket.bytesRead = 5100;
  assert.equal(excess(), 0);
  response.emit('close');
  socket.bytesRead = 6200;
  assert.equal(excess(), 1);
});
