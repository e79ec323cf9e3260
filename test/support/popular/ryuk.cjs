// A stand-in for testcontainers' Ryuk: takes filters by lines on port 8080, and once nobody is connected any more removes
// what they match by the Docker socket, and ends.
'use strict';
const http = require('node:http');
const { clearTimeout, setTimeout } = require('node:timers');
const { URLSearchParams } = require('node:url');
const net = require('node:net');
const { hostname } = require('node:os');

const socketPath = '/var/run/docker.sock';
const seconds = (text, standard) => Number.parseFloat(text ?? standard) * 1000;
const connectionTimeout = seconds(process.env.RYUK_CONNECTION_TIMEOUT, '60');
const reconnectionTimeout = seconds(process.env.RYUK_RECONNECTION_TIMEOUT, '10');
const filters = new Set();
let connections = 0;

function ask(method, path) {
  return new Promise((settle, fail) => {
    const request = http.request({ socketPath, method, path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('end', () => {
        if (response.statusCode < 300) settle(text === '' ? undefined : JSON.parse(text));
        else if (response.statusCode === 404 || response.statusCode === 409) settle(undefined);
        else fail(new Error(`${method} ${path}: ${response.statusCode} ${text}`));
      });
    });
    request.on('error', fail).end();
  });
}

async function prune() {
  for (const filter of filters) {
    const labels = [...new URLSearchParams(filter)]
      .filter(([kind]) => kind === 'label')
      .map(([, label]) => label);
    const query = `filters=${encodeURIComponent(JSON.stringify({ label: labels }))}`;
    const containers = (await ask('GET', `/containers/json?all=true&${query}`)) ?? [];
    for (const { Id } of containers)
      // Some clients give it the labels of what it removes: it is not to begin with itself.
      if (!Id.startsWith(hostname())) await ask('DELETE', `/containers/${Id}?force=true&v=true`);
    for (const { Id } of (await ask('GET', `/networks?${query}`)) ?? [])
      await ask('DELETE', `/networks/${Id}`);
    for (const { Name } of (await ask('GET', `/volumes?${query}`))?.Volumes ?? [])
      await ask('DELETE', `/volumes/${Name}?force=true`);
    for (const { Id } of (await ask('GET', `/images/json?${query}`)) ?? [])
      await ask('DELETE', `/images/${Id}?force=true`);
  }
}

function endLater(delay) {
  timer = setTimeout(() => {
    prune().then(
      () => process.exit(0),
      (error) => {
        console.error(error.message);
        process.exit(1);
      },
    );
  }, delay);
}

let timer;
endLater(connectionTimeout);
net
  .createServer((socket) => {
    clearTimeout(timer);
    connections += 1;
    let rest = '';
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines.map((one) => one.trim()).filter((one) => one !== '')) {
        filters.add(line);
        socket.write('ACK\n');
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      connections -= 1;
      if (connections === 0) endLater(reconnectionTimeout);
    });
  })
  .listen(8080, () => console.log('Started'));
process.on('SIGTERM', () => process.exit(0));
