/** containerd's snapshotter that the layers of images and the files of containers live in. */
export const SNAPSHOTTER = 'overlayfs';
