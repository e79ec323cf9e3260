import { createFakeContainerd } from '../support/fake-containerd.ts';
import { startRealContainerd } from '../support/real-containerd.ts';
import { describeContainerd } from './containerd-suite.ts';

describeContainerd('fake containerd', async () => {
  const { containerd } = createFakeContainerd();
  return { containerd, stop: async () => containerd.close() };
});

describeContainerd('real containerd', async () => {
  const real = await startRealContainerd();
  return { containerd: real.connect('berth-suite'), stop: () => real.stop() };
});
