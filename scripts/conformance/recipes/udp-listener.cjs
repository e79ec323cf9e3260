// Says what it gets, as the image that testcontainers' suite sends to.
const socket = require('node:dgram').createSocket('udp4');
socket.on('message', (message) => console.log(message.toString()));
socket.bind(5005, () => console.log('Listening on UDP port 5005'));
process.on('SIGTERM', () => process.exit(0));
